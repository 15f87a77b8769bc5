"""The asset graph as lines of text, sorted, without what changes by itself."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg


def graph_text(definitions: dg.Definitions) -> str:
    """One paragraph per asset: where it is made, how it shows, what is upstream, what is checked."""
    return "\n".join(line for spec in sorted_specs(definitions) for line in _lines(definitions, spec)) + "\n"


def sorted_specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    return sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key)


def _lines(definitions: dg.Definitions, spec: dg.AssetSpec) -> Iterator[str]:
    node = definitions.resolve_asset_graph().get(spec.key)
    yield f"{spec.key.to_user_string()}"
    yield f"  step: {node.assets_def.node_def.name if node.is_executable else '(external)'}"
    yield f"  group: {spec.group_name}; kinds: {', '.join(sorted(spec.kinds))}; owners: {', '.join(spec.owners)}"
    partitions = spec.partitions_def
    yield f"  partitions: {partitions}; policy: {node.backfill_policy}; version: {'yes' if spec.code_version else 'no'}"
    for dep in spec.deps:
        mapping = type(node.partition_mappings.get(dep.asset_key)).__name__
        yield f"  <- {dep.asset_key.to_user_string()} ({mapping})"
    for check in sorted(check.name for check in node.check_keys):
        yield f"  check: {check}"
    for name, value in sorted(spec.metadata.items()):
        yield f"  {name}: {getattr(value, 'value', value)}"
    for line in (spec.description or "").splitlines():
        yield f"  | {line}".rstrip()
    yield ""
