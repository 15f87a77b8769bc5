"""docs/outputs.md, and KPI Reporter's files with these outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kpi_assets import registry
from kpi_assets.config.load import load_report
from kpi_assets.plan import OutputPlan, build_plan
from kpi_assets.session import make_output
from kpi_assets_tests.outputs.remote.pages import document
from kpi_assets_tests.secrets import MARK, secret

DOCS = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## (\w+)\n.*?```yaml\n(.*?)```", DOCS, flags=re.DOTALL | re.MULTILINE))
WHOLE = dict(re.findall(r"^## (\w+)\n.*?```.*?```yaml\n(.*?)```", DOCS, flags=re.DOTALL | re.MULTILINE))
"""The example with every argument, which follows the short one."""
OURS = [plugin.name for plugin in registry.plugins("outputs") if plugin.package == "kpi-assets"]
REPORT = """
title: Weekly
datasources: {db: {plugin: sqlite, args: {database: shop.db}}}
views: {orders: {plugin: single_stat, args: {datasource: db, query: select 1}}}
"""
ENVIRON = {name: secret("documented") for name in re.findall(r"\{env: (\w+)\}", DOCS) if name != "NAME"}
KPI_REPORTER = """
outputs:
  bucket:
    plugin: s3
    args: {bucket: reports, prefix: ops/, endpoint_url: 'http://127.0.0.1:9000'}
  web:
    plugin: scp
    args: {host: web1, user: deploy, remote_path: /srv/www/reports, sudo: true, sudo_password: x,
      remote_path_owner: www-data, connect_kwargs: {key_filename: /etc/key}}
"""


def outputs(text: str, folder: Path) -> tuple[list[OutputPlan], list[str]]:
    """The outputs of a report file, and its warnings."""
    file = folder / "weekly.yaml"
    file.write_text(REPORT + text, encoding="utf-8")
    plan = build_plan(load_report([file]), ENVIRON)
    return list(plan.outputs), [str(warning) for warning in plan.warnings]


def test_every_output_has_an_example() -> None:
    """Each output plugin of ours has a section with an example that uses it."""
    assert {name: f"plugin: {name}" in example for name, example in EXAMPLES.items()} == dict.fromkeys(
        OURS, True
    )


@pytest.mark.parametrize("name", OURS)
def test_the_example_can_be_used(name: str, tmp_path: Path) -> None:
    """The example loads without a warning, and with its secrets becomes an output that says what it would do."""
    (plan,), warnings = outputs(EXAMPLES[name], tmp_path)
    assert warnings == []
    made = make_output(plan, ENVIRON)
    told = made.preview(document(0, ("html", "pdf", "mail", "slack")))
    assert told.startswith("would ")
    assert MARK not in told + repr(made.args)


def test_kpi_reporters_outputs_load(tmp_path: Path) -> None:
    """KPI Reporter's `s3` and `scp` load; what is not supported is warned about."""
    (bucket, web), warnings = outputs(KPI_REPORTER, tmp_path)
    told = [make_output(plan, {}).preview(document()) for plan in (bucket, web)]
    assert told[0].startswith("would upload 1 file(s) to s3://reports/ops/2024-11-18_")
    assert told[1].startswith("would upload 1 file(s) to deploy@web1:/srv/www/reports/2024-11-18_")
    assert len([text for text in warnings if "let `user` write in `remote_path`" in text]) == 2


@pytest.mark.parametrize("name", OURS)
def test_every_argument_has_an_example(name: str, tmp_path: Path) -> None:
    """The long example names every argument there is and no other, and with its secrets it can be used as it stands."""
    named = re.findall(r"^      (?:# )?(\w+):", WHOLE[name], flags=re.MULTILINE)
    assert sorted(named) == sorted(registry.output_class(name).Args.model_fields)
    plans, warnings = outputs(WHOLE[name], tmp_path)
    assert warnings == []
    assert [make_output(plan, ENVIRON).id for plan in plans if plan.plugin == name]
