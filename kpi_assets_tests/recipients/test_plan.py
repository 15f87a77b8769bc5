"""What is wrong with `recipients:` is said before anything runs; and a report without them is what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpi_assets.config import load_report
from kpi_assets.contracts import Recipient
from kpi_assets.errors import ConfigError, DataError
from kpi_assets.plan import RecipientsPlan, ReportPlan, build_plan
from kpi_assets.readers import gather
from kpi_assets.session import make_output
from kpi_assets_tests.recipients.world import planned, write_report

HEAD = """\
title: {title}
datasources:
  db: {{plugin: sqlite, args: {{database: x.db}}}}
  frames: {{plugin: dataframe, args: {{}}}}
queries:
  leads: {{datasource: db, query: "select email, region from leads"}}
views:
  mine:
    plugin: table
    args: {{datasource: {datasource}, query: "{query}"}}
"""
MINE = "select * from orders where region = {recipient.region}"
DISK = "outputs: {disk: {plugin: static, args: {output_dir: 'out/{recipient.key}'}}}\n"
LEADS = "recipients: {query: {ref: leads}}\n"


def plan_of(
    folder: Path, tail: str, *, query: str = MINE, datasource: str = "db", title: str = "Sales"
) -> ReportPlan:
    file = folder / "sales.yaml"
    file.write_text(HEAD.format(title=title, query=query, datasource=datasource) + tail, encoding="utf-8")
    return build_plan(load_report([file]), {})


def mail(**args: str) -> str:
    lines = "".join(
        f"      {name}: {value}\n" for name, value in {"email_from": "a@example.com", **args}.items()
    )
    return f"outputs:\n  mail:\n    plugin: smtp\n    args:\n{lines}"


WRONG = {
    "no recipients": (DISK, "has no value: the report has no `recipients`"),
    "one place for all": (
        LEADS + "outputs: {disk: {plugin: static}}\n",
        "write {recipient.key} in `output_dir`",
    ),
    "default output": (LEADS, "all recipients' editions would meet here"),
    "fixed audience": (LEADS + mail(email_to="boss@example.com"), "write {recipient.email} in `email_to`"),
    "second reader": (
        LEADS + mail(email_to="['{recipient.email}', boss@example.com]"),
        "`email_to` tells others of it too",
    ),
    "copies": (
        LEADS + mail(email_to="'{recipient.email}'", bcc="boss@example.com"),
        "`bcc` would get every recipient's edition",
    ),
    "meaningless": (
        LEADS + mail(email_to="'{recipient.email}'", smtp_host="'{recipient.host}'"),
        "it can stand in email_to, subject, image_remote_base_url",
    ),
    "one link for all": (LEADS + DISK + "public_url: https://kpi.example/{id}\n", "add {edition}"),
    "one address of pictures": (
        LEADS
        + mail(
            email_to="'{recipient.email}'",
            image_strategy="remote",
            image_remote_base_url="https://kpi.example/{id}",
        ),
        "all recipients' editions would have this address",
    ),
    "asks itself": (
        DISK + "recipients: {datasource: db, query: 'select * from leads where a = {recipient.a}'}\n",
        "cannot ask for one of them",
    ),
    "a listed one lacks a value": (
        DISK + "recipients: [{email: a@example.com, region: North}, {email: b@example.com, regoin: South}]\n",
        "{recipient.region} has no value for this recipient: did you mean 'regoin'?",
    ),
    "a reserved name": (
        DISK + "recipients: [{email: a@example.com, region: North, key: x}]\n",
        "`key` is what {recipient.key} stands for",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_would_mix_or_miss_is_refused(tmp_path: Path, case: str) -> None:
    """Each mistake is found when the plan is made, and the message says the fix."""
    tail, told = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, tail)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("query", "datasource", "told"),
    [
        ("select * from o where region = '{recipient.region}'", "db", "stands inside quotes"),
        ("{recipient.region}", "frames", "`dataframe` cannot be asked for one recipient"),
    ],
)
def test_queries_bind_or_refuse(tmp_path: Path, query: str, datasource: str, told: str) -> None:
    """A value that could not be bound is refused where it is written."""
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, LEADS + DISK, query=query, datasource=datasource)
    assert told in str(caught.value)


def test_only_what_names_a_recipient_is_personal(tmp_path: Path) -> None:
    """Queries and views without a recipient's value keep fingerprint and place; those with one have their own."""
    plan = planned(write_report(tmp_path))
    assert plan.recipients is not None
    assert (plan.recipients.queries, plan.recipients.views) == (
        {"mine", "revenue"},
        {"hello", "days", "revenue"},
    )
    assert plan.recipients.names == {"email", "region", "setting"}
    window = plan.window("2024-11-24")
    one, other = (
        plan.for_recipient(Recipient(name, {"email": name})) for name in ("a@b.example", "c@d.example")
    )
    for query in plan.queries:
        prints = {p.queries_by_id[query.id].fingerprint for p in (plan, one, other)}
        assert len(prints) == (3 if query.id in plan.recipients.queries else 1)
    assert len({p.edition(window) for p in (plan, one, other)}) == 3
    assert {p.common_edition(window) for p in (plan, one, other)} == {"2024-11-24"}


def test_the_day_is_still_proven_for_a_recipient(tmp_path: Path) -> None:
    """A query by days with a bound value is cut by days, as it is without."""
    plan = planned(write_report(tmp_path))
    hers = plan.for_recipient(Recipient("a@b.example", {"email": "a@b.example", "region": "North"}))
    assert [p.queries_by_id["revenue"].analysis.grain for p in (plan, hers)] == ["day", "day"]


def test_listed_people_without_mail_are_known_by_their_first_key(tmp_path: Path) -> None:
    """A list for Slack alone needs no `email`: the first key says who it is."""
    plan = plan_of(tmp_path, DISK + "recipients: [{channel: '#north', region: North}]\n")
    assert plan.recipients is not None
    (found,) = gather(plan.recipients, plan.recipients.listed).recipients
    assert found.address == "#north"


def test_a_value_cannot_leave_its_folder_or_reach_the_environment(tmp_path: Path) -> None:
    """Paths, references and braces in a value are plain names in a place, and never looked at again."""
    plan = plan_of(
        tmp_path, LEADS + "outputs: {disk: {plugin: static, args: {output_dir: 'out/{recipient.region}'}}}\n"
    )
    values = {
        "../../etc": "etc",
        "${HOME}/x": "HOME-x",
        "{recipient.key}": "recipient.key",
        "Nord/Ost": "Nord-Ost",
    }
    for value, name in values.items():
        hers = plan.for_recipient(Recipient("a@b.example", {"email": "a@b.example", "region": value}))
        output = make_output(hers.outputs[0], {"HOME": "/root"})
        assert str(output.args.output_dir) == f"out/{name}"
    nowhere = plan.for_recipient(Recipient("a@b.example", {"email": "a@b.example", "region": ".."}))
    with pytest.raises(ConfigError, match="cannot be part of a path"):
        make_output(nowhere.outputs[0], {})


def test_rows_of_one_person() -> None:
    """Addresses in any case are one person; rows equal in what is used count once; others are faults."""
    who = RecipientsPlan(frozenset({"region"}), frozenset(), frozenset())
    rows = [
        {"email": "Ann@Example.com", "region": "North", "seen": 1},
        {"email": "ann@example.com", "region": "North", "seen": 2},
        {"email": "bob@example.com", "region": "South"},
        {"email": "bob@example.com", "region": "West"},
        {"email": float("nan"), "region": "East"},
    ]
    found = gather(who, rows)
    assert [(one.address, one.values["region"]) for one in found.recipients] == [("Ann@Example.com", "North")]
    assert [fault.recipient for fault in found.faults] == ["in row 5", "bob@example.com"]
    assert all(isinstance(fault, DataError) for fault in found.faults)
