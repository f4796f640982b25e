"""The mesh, its namespaces and what is declared in them."""

from __future__ import annotations

from meshproof.dsl.ast.declarations import (
    Authorizer,
    AuthorizerProtocol,
    AuthorizerProtocolSetting,
    Egress,
    EgressDefault,
    Endpoint,
    External,
    Gateway,
    Issuer,
    Label,
    Mesh,
    Namespace,
    Port,
    Service,
    TokenLocation,
    TokenPlace,
    Value,
    ValueOverride,
    Zone,
    ZoneParameter,
)
from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.reasons import MtlsDefault, Observe
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Duration, Name, Number, PortRef, StringValue, Text
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.settings import SettingsBuilder


class DeclarationsBuilder(SettingsBuilder):
    """The productions of declarations."""

    def mesh(self, start: int, end: int, name: Name, *entries: Setting) -> Mesh:
        settings = Settings(self, entries)
        return Mesh(
            name,
            language=settings.one("language", Number),
            trust_domain=settings.string("trust-domain"),
            aliases=settings.strings("aliases"),
            trusts=settings.strings("trusts"),
            namespace=settings.one("namespace", Name),
            mtls=settings.one("mtls", MtlsDefault),
            egress=settings.one("egress", EgressDefault),
            environments=settings.many("environments", Name),
            span=self.span(start, end),
        )

    def namespace(self, start: int, end: int, name: Name, *entries: Setting) -> Namespace:
        settings = Settings(self, entries)
        return Namespace(
            name,
            owner=settings.one("owner", Text),
            mtls=settings.one("mtls", MtlsDefault),
            closed=settings.one("closed", Flag),
            files=settings.many("files", Text),
            observe=settings.one("observe", Observe),
            env=settings.env(),
            span=self.span(start, end),
        )

    def service(self, start: int, end: int, name: Name, *entries: Setting) -> Service:
        settings = Settings(self, entries)
        return Service(
            name,
            ports=self.ports(settings, "service"),
            account=settings.one("account", Name),
            namespace=settings.one("namespace", Name),
            platform_name=settings.string("name"),
            identity=settings.string("identity"),
            labels=settings.many("labels", Label),
            versions=settings.many("versions", Name),
            tags=settings.many("tags", Name),
            accepts=settings.many("accepts", Name),
            calls=settings.many("calls", Endpoint),
            observe=settings.one("observe", Observe),
            env=settings.env(),
            span=self.span(start, end),
        )

    def gateway(self, start: int, end: int, name: Name, *entries: Setting) -> Gateway:
        settings = Settings(self, entries)
        return Gateway(
            name,
            ports=self.ports(settings, "gateway"),
            account=settings.one("account", Name),
            namespace=settings.one("namespace", Name),
            identity=settings.string("identity"),
            hosts=settings.strings("hosts"),
            certificate=settings.string("certificate"),
            client_ca=settings.string("client-ca"),
            labels=settings.many("labels", Label),
            trusted_proxies=settings.number("trusted-proxies"),
            accepts=settings.many("accepts", Name),
            env=settings.env(),
            span=self.span(start, end),
        )

    def external(self, start: int, end: int, name: Name, *entries: Setting) -> External:
        settings = Settings(self, entries)
        return External(
            name,
            hosts=settings.strings("hosts"),
            ports=self.ports(settings, "external"),
            via=settings.one("via", Name),
            env=settings.env(),
            span=self.span(start, end),
        )

    def ports(self, settings: Settings, kind: str) -> tuple[Port, ...]:
        """The ports of a declaration; what its kind of port cannot have is noted."""
        ports = settings.every("port", Port)
        for port in ports:
            for word, flag, right in (
                ("originate", port.originate, "external"),
                ("passthrough", port.passthrough, "gateway"),
            ):
                if flag is not None and kind != right:
                    message = f"`{word}` stands in a `{kind}`"
                    self.find("MP123", message, flag.span, f"only in `{right}`", advice=f"delete `{word}`")
        return ports

    def issuer(self, start: int, end: int, name: Name, *entries: Setting) -> Issuer:
        settings = Settings(self, entries)
        return Issuer(
            name,
            url=settings.string("url"),
            jwks=settings.string("jwks"),
            audiences=settings.strings("audiences"),
            location=settings.one("from", TokenLocation),
            strip=settings.one("strip", Flag),
            env=settings.env(),
            span=self.span(start, end),
        )

    def authorizer(self, start: int, end: int, name: Name, *entries: Setting) -> Authorizer:
        settings = Settings(self, entries)
        return Authorizer(
            name,
            address=settings.string("address"),
            protocol=settings.one("protocol", AuthorizerProtocolSetting),
            timeout=settings.one("timeout", Duration),
            env=settings.env(),
            span=self.span(start, end),
        )

    def zone(self, start: int, end: int, name: Name, members: SetExpression, env: Setting | None) -> Zone:
        return Zone(name, members, Settings(self, [env] if env else []).env(), span=self.span(start, end))

    def zone_parameter(self, start: int, end: int, name: Name, description: Text) -> ZoneParameter:
        return ZoneParameter(name, description, span=self.span(start, end))

    def value(self, start: int, end: int, name: Name, default: Text | Number, *overrides: ValueOverride) -> Value:
        return Value(name, default, overrides, span=self.span(start, end))

    def value_override(self, start: int, end: int, env: Setting, literal: Text | Number) -> ValueOverride:
        return ValueOverride(Settings(self, [env]).env(), literal, span=self.span(start, end))

    # ---- entries that only one kind of declaration has

    def language(self, start: int, end: int, number: Number) -> Setting:
        return Setting("language", number, self.span(start, end))

    def egress(self, start: int, end: int, word: Name) -> Setting:
        span = self.span(start, end)
        known = self.expect_word(word, [egress.value for egress in Egress], "kind of egress")
        return Setting("egress", EgressDefault(Egress(word.text) if known else Egress.CLOSED, span=span), span)

    def protocol(self, start: int, end: int, word: Name) -> Setting:
        span = self.span(start, end)
        known = self.expect_word(word, [protocol.value for protocol in AuthorizerProtocol], "protocol of authorizers")
        protocol = AuthorizerProtocol(word.text) if known else AuthorizerProtocol.GRPC
        return Setting("protocol", AuthorizerProtocolSetting(protocol, span=span), span)

    def token_location(self, start: int, end: int, place: TokenPlace, name: StringValue) -> Setting:
        span = self.span(start, end)
        return Setting("from", TokenLocation(place, name, span=span), span)

    def token_place(self, start: int, end: int) -> TokenPlace:
        return TokenPlace(self.text[start:end])

    def calls(self, start: int, end: int, *endpoints: Endpoint) -> Setting:
        return Setting("calls", endpoints, self.span(start, end))

    def endpoint(self, start: int, end: int, name: Name, port: PortRef | None) -> Endpoint:
        return Endpoint(name, port, span=self.span(start, end))
