"""The three kinds of plugin. Constructors do no I/O; arguments are a frozen pydantic model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from kpi_assets.contracts.block import Block
from kpi_assets.contracts.document import Document, Format, Receipt
from kpi_assets.contracts.query import Need, Query, QueryAnalysis
from kpi_assets.contracts.window import Window
from kpi_assets.errors import DeliveryError

if TYPE_CHECKING:
    import pandas as pd

    from kpi_assets.style.numbers import NumberStyle
    from kpi_assets.style.theme import Theme


class PluginArgs(BaseModel):
    """Base of every plugin's `Args`. Unknown keys are errors; values never show in validation errors.

    `ignored_keys` names keys of KPI Reporter that no longer mean anything, each with the sentence that says what to do;
    they are warned about and dropped before validation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    ignored_keys: ClassVar[Mapping[str, str]] = {}


class Datasource(ABC):
    """A backend that answers queries with frames. One instance serves one run, from several threads."""

    Args: ClassVar[type[PluginArgs]]
    kinds: ClassVar[tuple[str, ...]] = ()
    """Dagster kinds shown on its query assets, e.g. `("sql", "mysql")`."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Import names of libraries that it needs and that may not be there: a missing one is told before anything runs."""
    language: ClassVar[str] = "text"
    """Name of the query language for highlighting, e.g. `sql`, `promql`."""
    binds_recipients: ClassVar[bool] = False
    """Does `query` put the values of `query.recipient` where `{recipient.name}` stands, as data and nothing else?"""

    def __init__(self, id: str, args: Any) -> None:
        self.id = id
        self.args = args

    @abstractmethod
    def query(self, query: Query, window: Window) -> pd.DataFrame:
        """Rows for the window: named columns, a plain RangeIndex, timestamps zone-aware in the window's zone.

        Raises QueryError when the backend refuses, RetriableError when it stayed away until the deadline.
        """

    @classmethod
    def analyse(cls, query: Query, args: Any) -> QueryAnalysis:
        """What can be said of the query without I/O. Anything not proven is `window`.

        `args` are validated but secrets in them may be missing. Raises QueryError for a text we refuse to send.
        """
        del query, args
        return QueryAnalysis("window", f"{cls.__name__} does not prove that days can be cut")

    @property
    def concurrency(self) -> int:
        """How many queries may run at once."""
        return 4

    def check(self) -> None:  # noqa: B027 - a backend may have nothing to check
        """Log in and ask something trivial. Raises as `query` does."""

    def close(self) -> None:  # noqa: B027 - a backend may hold nothing
        """Give back connections."""


@dataclass(frozen=True)
class RenderContext:
    """What a view may know besides its frames. `variables` are the report variables for texts (`{title}`, `{from}`...).

    `title`, `headline`, `description` are the YAML's words ("" when absent). `headline` replaces the generated finding.
    `width`: CSS pixels of the view's own width on the widest page; `widths`: what to draw, as (class, pixels).
    `pictures`: which picture formats outputs need: `svg` always; `png` when a mail, chat or Markdown file is made.
    """

    view: str
    window: Window
    title: str
    headline: str
    description: str
    cols: int
    width: int
    widths: tuple[tuple[str, int], ...]
    theme: Theme
    numbers: NumberStyle
    variables: Mapping[str, str]
    pictures: frozenset[str] = frozenset({"svg"})
    findings: bool = True


class View(ABC):
    """Turns frames into a block. A view never holds a datasource."""

    Args: ClassVar[type[PluginArgs]]
    kinds: ClassVar[tuple[str, ...]] = ("altair",)
    default_cols: ClassVar[int | None] = None
    """Columns taken when YAML does not say; None = the whole row."""

    def __init__(self, args: Any) -> None:
        self.args = args

    @abstractmethod
    def needs(self) -> Mapping[str, Need]:
        """The frames that `render` wants, by role."""

    def warnings(self) -> tuple[str, ...]:
        """Sentences about arguments that are accepted but do not mean what they meant; shown by `validate`."""
        return ()

    @abstractmethod
    def render(self, frames: Mapping[str, pd.DataFrame], context: RenderContext) -> Block:
        """The block. Frames must not be changed. Raises ViewError when they cannot be shown."""


Personal = Literal["address", "place", "link", "text", "nobody"]
"""How a recipient's value is put into an argument: as it is into an `address` (whom it tells) or a `text`; made fit for
a path into a `place` (where it delivers) or a `link` to it. `nobody` is a further audience, which must be empty."""


class Output(ABC):
    """A channel that delivers documents."""

    Args: ClassVar[type[PluginArgs]]
    effect: ClassVar[str] = "publish"
    """`publish` (idempotent, always) or `notify` (people see it)."""
    announces: ClassVar[bool] = False
    """Does `deliver` call `handing_over` before people can see anything? Of one that does not, nobody knows what people
    have when its process dies."""
    kinds: ClassVar[tuple[str, ...]] = ()
    libraries: ClassVar[tuple[str, ...]] = ()
    """Import names of libraries that it needs and that may not be there: a missing one is told before anything runs."""
    personal: ClassVar[Mapping[str, Personal]] = {}
    """The arguments in which `{recipient.name}` may stand; one of those that say where must hold one, or all
    recipients' editions would meet in one place."""

    def __init__(self, id: str, args: Any) -> None:
        self.id = id
        self.args = args

    @property
    @abstractmethod
    def formats(self) -> frozenset[Format]:
        """The formats that the document must hold for this output."""

    @abstractmethod
    def deliver(self, document: Document) -> Receipt:
        """Deliver. Raises DeliveryError; what was already there stays whole."""

    def deliver_again(self, document: Document, earlier: Receipt) -> Receipt:
        """Deliver an edition that the same recipients have already; `earlier` is the receipt of that."""
        del earlier
        return self.deliver(document)

    @property
    def publisher(self) -> str | None:
        """The id of the output of the same report that publishes what this one's messages show; None: it needs none."""
        return None

    @property
    def recipients(self) -> tuple[str, ...]:
        """The people or channels it tells, normalised and without duplicates; none for what is only published."""
        return ()

    def split(self) -> tuple[Output, ...]:
        """This output as the deliveries that succeed or fail each on its own: one per channel or batch of addresses.

        Each has this output's id, and `recipients` of its own.
        """
        return (self,)

    def readdressed(self, to: Sequence[str]) -> Output:
        """The same output, telling `to` and nobody else: neither its own audience, nor its copies (cc, bcc).

        Used to send a test, and to reach those of an audience who have not got the edition yet, so the message must be
        the same for everybody. Same id; `recipients` are `to`, normalised. Raises DeliveryError for what is no address
        of this channel, and where the channel has none: the default.
        """
        raise DeliveryError(
            self.id, f"it cannot be sent to another address ({', '.join(to)}): its channel has no addresses"
        )

    def check(self) -> None:  # noqa: B027 - an output may have nothing to check
        """Log in and look whether delivering could work, without delivering. Raises as `deliver` does."""

    @classmethod
    def tells(cls, to: str) -> bool:
        """Is `to` an address that `tell` can write to? It only looks at the text."""
        del to
        return False

    def tell(self, to: str, subject: str, text: str) -> None:
        """Write a short plain message to one address: the report's owner, never its audience.

        Raises DeliveryError; `ambiguous` where the message may have arrived all the same.
        """
        del text
        raise DeliveryError(self.id, f"it has no addresses, so {to} cannot be told: {subject}")

    def preview(self, document: Document) -> str:
        """One sentence: what `deliver` would do, for `--dry-run`."""
        return f"would deliver {document.report} {document.edition}"
