"""The entries of declarations' blocks."""

from __future__ import annotations

from meshproof.dsl.ast.declarations import Label, Port, Protocol
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.reasons import MtlsDefault, MtlsMode, Observe, Reasons
from meshproof.dsl.ast.values import Duration, Name, NumberValue, StringValue, Text
from meshproof.dsl.tree_to_ast.base import Setting
from meshproof.dsl.tree_to_ast.expressions import ExpressionsBuilder


class SettingsBuilder(ExpressionsBuilder):
    """The productions of entries: each is what its word says, and where."""

    def trust_domain(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("trust-domain", value, self.span(start, end))

    def aliases(self, start: int, end: int, values: tuple[StringValue, ...]) -> Setting:
        return Setting("aliases", values, self.span(start, end))

    def trusts(self, start: int, end: int, values: tuple[StringValue, ...]) -> Setting:
        return Setting("trusts", values, self.span(start, end))

    def in_namespace(self, start: int, end: int, name: Name) -> Setting:
        return Setting("namespace", name, self.span(start, end))

    def environments(self, start: int, end: int, names: tuple[Name, ...]) -> Setting:
        return Setting("environments", names, self.span(start, end))

    def mtls_default(self, start: int, end: int, mode: MtlsMode, reasons: Reasons | None) -> Setting:
        span = self.span(start, end)
        return Setting("mtls", MtlsDefault(mode, reasons or Reasons(), span=span), span)

    def mode(self, start: int, end: int) -> MtlsMode:
        return MtlsMode(self.text[start:end])

    def closed(self, start: int, end: int) -> Setting:
        return self.flag("closed", start, end)

    def strip(self, start: int, end: int) -> Setting:
        return self.flag("strip", start, end)

    def flag(self, word: str, start: int, end: int) -> Setting:
        """A word that says something by standing there."""
        span = self.span(start, end)
        return Setting(word, Flag(span=span), span)

    def files(self, start: int, end: int, texts: tuple[Text, ...]) -> Setting:
        return Setting("files", texts, self.span(start, end))

    def observe(self, start: int, end: int, reasons: Reasons | None) -> Setting:
        span = self.span(start, end)
        return Setting("observe", Observe(reasons or Reasons(), span=span), span)

    def port(  # noqa: PLR0913, PLR0917 - the parts of the production
        self,
        start: int,
        end: int,
        first: Name,
        second: Name | None,
        number: NumberValue,
        workload: NumberValue | None,
        mode: Setting | None,
    ) -> Setting:
        protocol, name = (first, None) if second is None else (second, first)
        known = self.expect_word(protocol, [known.value for known in Protocol], "protocol")
        span = self.span(start, end)
        flag = mode.value if mode is not None else None
        assert flag is None or isinstance(flag, Flag)
        port = Port(
            name,
            Protocol(protocol.text) if known else Protocol.TCP,
            number,
            workload,
            originate=flag if mode is not None and mode.key == "originate" else None,
            passthrough=flag if mode is not None and mode.key == "passthrough" else None,
            span=span,
        )
        return Setting("port", port, span)

    def port_mode(self, start: int, end: int) -> Setting:
        return self.flag(self.text[start:end], start, end)

    def account(self, start: int, end: int, name: Name) -> Setting:
        return Setting("account", name, self.span(start, end))

    def platform_name(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("name", value, self.span(start, end))

    def identity_setting(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("identity", value, self.span(start, end))

    def labels(self, start: int, end: int, *labels: Label | None) -> Setting:
        return Setting("labels", tuple(label for label in labels if label is not None), self.span(start, end))

    def label(self, start: int, end: int, key: Name, value: StringValue) -> Label:
        return Label(key, value, span=self.span(start, end))

    def versions(self, start: int, end: int, names: tuple[Name, ...]) -> Setting:
        return Setting("versions", names, self.span(start, end))

    def tags(self, start: int, end: int, names: tuple[Name, ...]) -> Setting:
        return Setting("tags", names, self.span(start, end))

    def accepts(self, start: int, end: int, names: tuple[Name, ...]) -> Setting:
        return Setting("accepts", names, self.span(start, end))

    def hosts(self, start: int, end: int, values: tuple[StringValue, ...]) -> Setting:
        return Setting("hosts", values, self.span(start, end))

    def certificate(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("certificate", value, self.span(start, end))

    def client_ca(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("client-ca", value, self.span(start, end))

    def trusted_proxies(self, start: int, end: int, value: NumberValue) -> Setting:
        return Setting("trusted-proxies", value, self.span(start, end))

    def via(self, start: int, end: int, name: Name) -> Setting:
        return Setting("via", name, self.span(start, end))

    def url(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("url", value, self.span(start, end))

    def jwks(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("jwks", value, self.span(start, end))

    def audiences(self, start: int, end: int, values: tuple[StringValue, ...]) -> Setting:
        return Setting("audiences", values, self.span(start, end))

    def address(self, start: int, end: int, value: StringValue) -> Setting:
        return Setting("address", value, self.span(start, end))

    def timeout(self, start: int, end: int, duration: Duration) -> Setting:
        self.positive(duration)
        return Setting("timeout", duration, self.span(start, end))

    def positive(self, duration: Duration) -> None:
        """Note a length of time that is none."""
        if duration.amount == 0:
            self.find("MP110", "a length of time is zero", duration.span, "more than zero", advice="delete the setting")
