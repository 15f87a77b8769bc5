from __future__ import annotations

import pytest

from kpi_assets.config.zones import is_zone, machine_zone, zone_fault


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Europe/Pari", "Europe/Paris"),
        ("utc", "UTC"),
    ],
)
def test_a_mistyped_zone_gets_the_nearest_name(name: str, hint: str) -> None:
    """City names, wrong case and typing mistakes lead to the IANA name."""
    assert zone_fault(name) == f"no time zone is called that: did you mean '{hint}'?"


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "/etc/localtime", "qqqqqqqq", "Europe", "a\0b", "x" * 5000]
)
def test_what_is_no_zone_is_refused_without_touching_other_files(name: str) -> None:
    """Paths, folders and noise are no zones, and the message says what one looks like."""
    assert not is_zone(name)
    assert "no time zone is called that" in zone_fault(name)


def test_zones_that_exist_have_no_fault() -> None:
    """IANA names are accepted, the short ones too."""
    assert [zone_fault(name) for name in ("Europe/Paris", "UTC", "CET")] == ["", "", ""]


def test_the_machines_zone_is_what_tz_says() -> None:
    """`$TZ` decides where it names a zone; a broken one falls back to a zone that exists."""
    assert machine_zone({"TZ": "Asia/Tokyo"}) == "Asia/Tokyo"
    assert machine_zone({"TZ": ":Asia/Tokyo"}) == "Asia/Tokyo"
    assert is_zone(machine_zone({"TZ": "nowhere"}))
    assert is_zone(machine_zone({}))
