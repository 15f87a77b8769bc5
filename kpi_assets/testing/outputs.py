"""The suite for authors of outputs. Needs pytest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, get_args

import pytest

from kpi_assets.contracts import Document, Format, Output, Receipt
from kpi_assets.contracts.handover import handover_heard
from kpi_assets.errors import DeliveryError
from kpi_assets.testing.plugins import PluginSuite
from kpi_assets.testing.samples import sample_document
from kpi_assets.testing.verdict import insist
from kpi_assets.testing.watching import OUTSIDE, watched

Arrived = Callable[[], Sequence[Any]]


class OutputSuite(PluginSuite):
    """What every output must keep. Subclass it as `Test...`, say `plugin`, override the fixtures `args` and `arrived`.

    Deliver to a server of your own on 127.0.0.1, or into `tmp_path`.
    """

    plugin: ClassVar[type[Output]]

    @pytest.fixture
    def arrived(self) -> Arrived:
        """A callable that tells what lies at the other side now: messages in order, or (path, content) of files."""
        raise NotImplementedError("override the fixture `arrived`")

    @pytest.fixture
    def fail_once(self) -> Callable[[], None] | None:
        """Makes the other side refuse the next attempt before it has taken anything; None skips what needs it."""
        return None

    @pytest.fixture
    def dead(self) -> Mapping[str, Any] | None:
        """Arguments that lead to nobody, with short deadlines; None skips what is tested with them."""
        return None

    def document(self, output: Output) -> Document:
        """The edition that is delivered."""
        return sample_document(output.formats)

    def delivered(self, output: Output, document: Document) -> list[Receipt]:
        """The receipts of all parts."""
        return [part.deliver(document) for part in output.split()]

    def test_plain_facts_need_no_io(self, args: Mapping[str, Any]) -> None:
        """effect, formats, recipients and split() are known without asking anybody."""
        output = self.make(args)
        with watched() as found:
            formats, recipients, parts = output.formats, output.recipients, output.split()
        insist(found == [], f"the facts of {self.plugin.__name__} need I/O: {', '.join(found)}")
        insist(output.effect in ("publish", "notify"), "effect must be 'publish' or 'notify'")
        unknown = set(formats) - set(get_args(Format))
        insist(not unknown, f"formats that nobody makes: {', '.join(sorted(unknown))}")
        told = [recipient for part in parts for recipient in part.recipients]
        insist(all(part.id == output.id for part in parts), "each part of split() must have the output's id")
        insist(sorted(told) == sorted(recipients), "the parts of split() must tell all recipients, each once")
        insist(len(set(told)) == len(told), "somebody is told twice")

    def test_receipts_tell_what_was_done(self, args: Mapping[str, Any], arrived: Arrived) -> None:
        """Each part gives a receipt that names the output, what was delivered, where, and to whom."""
        output = self.make(args)
        document = self.document(output)
        receipts: list[Any] = [*self.delivered(output, document)]
        insist(arrived(), "nothing arrived")
        for receipt, part in zip(receipts, output.split(), strict=True):
            insist(isinstance(receipt, Receipt), "deliver() must return a Receipt")
            insist(
                (receipt.output, receipt.effect) == (output.id, output.effect),
                "the receipt must name the output's id and effect",
            )
            insist(receipt.content_hash == document.content_hash, "content_hash must be the document's")
            insist(receipt.location, "location must say where a person finds it")
            refused = {reason.partition(":")[0] for reason in receipt.refused}
            insist(
                set(receipt.recipients) | refused == set(part.recipients),
                "recipients and refused of the receipt must be all whom the part tells",
            )

    def test_the_document_is_not_changed(self, args: Mapping[str, Any]) -> None:
        """The next output gets the document as it was."""
        output = self.make(args)
        document = self.document(output)
        before = (document.content_hash, document.message_hash, [file.path for file in document.files])
        self.delivered(output, document)
        after = (document.content_hash, document.message_hash, [file.path for file in document.files])
        insist(after == before, "deliver() changed the document")

    def test_one_delivery_arrives_once(self, args: Mapping[str, Any], arrived: Arrived) -> None:
        """What is published twice lies there once; what people see comes once for each part."""
        output = self.make(args)
        document = self.document(output)
        before = len(arrived())
        self.delivered(output, document)
        first = list(arrived())
        if output.effect == "publish":
            self.delivered(output, document)
            insist(list(arrived()) == first, "publishing again left something else: it doubles on retry")
        else:
            parts = len(output.split())
            insist(len(first) - before == parts, f"{len(first) - before} messages came of {parts} parts")

    def test_it_says_when_it_hands_over(self, args: Mapping[str, Any], arrived: Arrived) -> None:
        """With `announces`, deliver() calls handing_over() in its own thread, before anything has arrived."""
        output = self.make(args).split()[0]
        if not output.announces:
            pytest.skip("it does not announce when it hands over")
        before, there = list(arrived()), list[list[Any]]()
        with handover_heard(lambda: there.append(list(arrived()))):
            output.deliver(self.document(output))
        insist(there, "handing_over() was not called: what a dead process has sent would be sent again")
        insist(there[0] == before, "something had arrived before handing_over() was called")

    def test_a_retry_does_not_double(
        self, args: Mapping[str, Any], arrived: Arrived, fail_once: Callable[[], None] | None
    ) -> None:
        """After a refusal, at most one message arrives; an error that is not `ambiguous` means that none has."""
        if fail_once is None:
            pytest.skip("the fixture `fail_once` gives nothing")
        output = self.make(args).split()[0]
        document = self.document(output)
        before = len(arrived())
        fail_once()
        try:
            output.deliver(document)
        except DeliveryError as error:
            came = len(arrived()) - before
            insist(
                came == 0 or error.ambiguous, "it arrived, and the error is not `ambiguous`: it would double"
            )
            return
        again = list(arrived())
        if output.effect == "publish":
            output.deliver(document)
            insist(list(arrived()) == again, "publishing after a refusal doubles")
        else:
            insist(len(again) - before == 1, f"{len(again) - before} messages arrived: it doubles on retry")

    def test_looking_delivers_nothing(self, args: Mapping[str, Any], arrived: Arrived) -> None:
        """check() and preview() leave the other side as it is; preview() is a sentence, made without the network."""
        output = self.make(args)
        document = self.document(output)
        before = list(arrived())
        with watched(OUTSIDE) as found:
            sentence = output.preview(document)
        output.check()
        insist(found == [], f"preview() reaches outside: {', '.join(found)}")
        insist(sentence.strip(), "preview() must say what deliver() would do")
        insist(list(arrived()) == before, "check() or preview() delivered something")

    def test_readdressing_tells_nobody_else(self, args: Mapping[str, Any]) -> None:
        """readdressed() gives an output of the same id for exactly those addresses, or a DeliveryError."""
        output = self.make(args)
        to = output.recipients[:1] or ("somebody@example.com",)
        try:
            other = output.readdressed(to)
        except DeliveryError:
            return
        insist(other.id == output.id, "readdressed() must keep the id")
        insist(tuple(other.recipients) == tuple(to), "readdressed() must tell exactly those addresses")

    def test_nothing_secret_is_told(
        self, args: Mapping[str, Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Neither the log nor the receipt nor the dry run's sentence holds a secret."""
        output = self.make(args)
        document = self.document(output)
        with self.discreet(output, caplog, capfd):
            receipts = self.delivered(output, document)
            print(receipts, output.preview(document))  # noqa: T201 - so that these are looked at as well

    def test_a_dead_channel_is_told_without_secrets(
        self,
        dead: Mapping[str, Any] | None,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """A channel that is not there is a DeliveryError that tells no secret."""
        if dead is None:
            pytest.skip("the fixture `dead` gives no arguments")
        output = self.make(dead).split()[0]
        with self.discreet(output, caplog, capfd), self.complains(output):
            output.deliver(self.document(output))
