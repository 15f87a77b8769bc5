"""What the three suites share: rules for arguments, constructors and secrets. Needs pytest."""

from __future__ import annotations

import copy
import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from kpi_assets.contracts import PluginArgs
from kpi_assets.errors import KpiAssetsError
from kpi_assets.testing.secrets import leaks, secrets_in, shown, told
from kpi_assets.testing.verdict import insist, nothing_wrong
from kpi_assets.testing.watching import watched


class PluginSuite:
    """Rules that hold for every plugin. Subclass one of its three subclasses, not this."""

    plugin: ClassVar[Any]
    """The plugin's class."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Values that must never show, besides those that are SecretStr or named like a secret in `args`."""

    @pytest.fixture
    def args(self) -> Mapping[str, Any]:
        """The plugin's arguments as a report file would say them; override it. Put recognisable secrets in."""
        return {}

    def make(self, args: Mapping[str, Any]) -> Any:
        """The plugin with these arguments; override it where more than the constructor is needed."""
        return self.plugin("sample", self.plugin.Args.model_validate(dict(args)))

    def secrets_of(self, plugin: Any) -> tuple[str, ...]:
        return (*self.secrets, *secrets_in(plugin.args))

    def test_arguments_are_strict_and_explained(self, args: Mapping[str, Any]) -> None:
        """Args is a PluginArgs whose every field has a description, that is frozen, and refuses unknown keys."""
        model = self.plugin.Args
        insist(issubclass(model, PluginArgs), f"{model.__name__} must be a kpi_assets.contracts.PluginArgs")
        dumb = [name for name, field in model.model_fields.items() if not field.description]
        insist(dumb == [], f"arguments without Field(description=...): {', '.join(dumb)}")
        insist(model.model_config.get("frozen"), "the arguments must be frozen")
        with pytest.raises(ValidationError):
            model.model_validate({**args, "no_such_argument_": 1})

    def test_constructor_does_no_io(self, args: Mapping[str, Any]) -> None:
        """Nothing is opened, asked or started when a plugin is made: reports are planned without their backends."""
        with watched() as found:
            made = self.make(args)  # has a name, so that what it holds open is not closed before it is seen
        insist(found == [], f"the constructor of {type(made).__name__} does I/O: {', '.join(found)}")

    def test_constructor_leaves_its_arguments_alone(self, args: Mapping[str, Any]) -> None:
        """Making a plugin does not change what it was given."""
        before = copy.deepcopy(dict(args))
        plugin = self.make(args)
        insist(dict(args) == before, "the constructor changed its arguments")
        insist(
            plugin.args == self.plugin.Args.model_validate(dict(args)),
            "the plugin's `args` are not those that it was given",
        )

    def test_secrets_do_not_show(self, args: Mapping[str, Any]) -> None:
        """No secret stands in what debuggers, logs and dumps show of the plugin and its arguments."""
        plugin = self.make(args)
        nothing_wrong(leaks(shown(plugin), self.secrets_of(plugin)))

    @contextmanager
    def discreet(
        self, plugin: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> Generator[None]:
        """Fails where a secret is logged (at any level) or printed within the block."""
        caplog.clear()
        capfd.readouterr()
        with caplog.at_level(logging.DEBUG):
            yield
        printed = capfd.readouterr()
        lines = "\n".join([caplog.text, *(str(record.args) for record in caplog.records)])
        texts = {"the log": lines, "standard output": printed.out, "standard error": printed.err}
        nothing_wrong(leaks(texts, self.secrets_of(plugin)))

    @contextmanager
    def complains(self, plugin: Any) -> Generator[None]:
        """Fails where the block raises nothing, an error of another tree, or one that tells a secret."""
        try:
            yield
        except KpiAssetsError as error:
            nothing_wrong(leaks(told(error), self.secrets_of(plugin)))
        except Exception as error:
            name = type(error).__name__
            raise AssertionError(f"{name} got out: raise one of kpi_assets.errors, `from None`") from error
        else:
            raise AssertionError("no error was raised")
