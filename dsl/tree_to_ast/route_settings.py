"""The settings of routes and branches."""

from __future__ import annotations

from meshproof.dsl.ast.node import Flag
from meshproof.dsl.ast.operations import AnySegment, PathPattern
from meshproof.dsl.ast.routes import (
    Balance,
    BalanceKind,
    Cors,
    Ejection,
    FaultAbort,
    FaultDelay,
    HeaderAction,
    HeaderEdit,
    Limit,
    LimitKind,
    Mirror,
    Redirect,
    Retry,
    RetryOn,
    RetryReason,
    Rewrite,
    RouteSettings,
    Target,
)
from meshproof.dsl.ast.values import Duration, Name, Number, NumberValue, Percent, PortRef, StringValue, Text
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.rules import RulesBuilder

REDIRECTS = (301, 302, 307, 308)
STATUSES = range(100, 600)


class RouteSettingsBuilder(RulesBuilder):
    """The productions of settings."""

    def route_settings(self, settings: Settings, start: int, end: int) -> RouteSettings:
        """The settings of a block."""
        return RouteSettings(
            timeout=settings.one("timeout", Duration),
            retry=settings.one("retry", Retry),
            mirror=settings.one("mirror", Mirror),
            rewrite=settings.one("rewrite", Rewrite),
            redirect=settings.one("redirect", Redirect),
            headers=settings.every("header", HeaderEdit),
            cors=settings.one("cors", Cors),
            fault_delay=settings.one("fault delay", FaultDelay),
            fault_abort=settings.one("fault abort", FaultAbort),
            limits=self._limits(settings),
            ejection=settings.one("eject", Ejection),
            balance=settings.one("balance", Balance),
            weights_by=settings.one("weights", Text),
            span=self.span(start, end),
        )

    def _limits(self, settings: Settings) -> tuple[Limit, ...]:
        limits = tuple(limit for group in settings.every("limit", tuple) for limit in group)
        Settings(self, [Setting(limit.kind.value, limit, limit.span) for limit in limits]).judge()
        return limits

    def literal_path(self, path: PathPattern) -> PathPattern:
        """The path itself; a segment of it that stands for any is noted."""
        if any(isinstance(segment, AnySegment) for segment in path.segments):
            advice = "write what the path becomes; a last `**` is what the `**` of the branch took"
            self.find("MP113", "a new path holds `*` or `{…}`", path.span, "not one path", advice=advice)
        return path

    def status(self, number: Number) -> None:
        """Note a number that is no status."""
        if number.value not in STATUSES:
            advice = "write a status from 100 to 599"
            self.find("MP110", f"`{number.value}` is no HTTP status", number.span, "not a status", advice=advice)

    def retry(self, start: int, end: int, attempts: NumberValue, *rest: RetryOn | Duration | None) -> Setting:
        conditions = tuple(entry for entry in rest if isinstance(entry, RetryOn))
        within = rest[-1] if isinstance(rest[-1], Duration) else None
        if within is not None:
            self.positive(within)
        span = self.span(start, end)
        return Setting("retry", Retry(attempts, conditions, within, span=span), span)

    def retry_on_reason(self, start: int, end: int, word: Name) -> RetryOn:
        known = self.expect_word(word, [reason.value for reason in RetryReason], "reason to retry")
        return RetryOn(RetryReason(word.text) if known else RetryReason.RESET, span=self.span(start, end))

    def retry_on_class(self, start: int, end: int, _text: str) -> RetryOn:
        return RetryOn(RetryReason.SERVER_ERROR, span=self.span(start, end))

    def retry_on_status(self, start: int, end: int, text: str) -> RetryOn:
        number = self.number(start, end, text)
        self.status(number)
        return RetryOn(number.value, span=number.span)

    def mirror(self, start: int, end: int, name: Name, port: PortRef | None, share: Percent) -> Setting:
        target = Target(name, port, share, span=name.span.to(share.span))
        span = self.span(start, end)
        return Setting("mirror", Mirror(target, span=span), span)

    def rewrite(self, start: int, end: int, path: PathPattern) -> Setting:
        span = self.span(start, end)
        return Setting("rewrite", Rewrite(self.literal_path(path), span=span), span)

    def redirect(
        self, start: int, end: int, status: Number | None, host: StringValue | None, path: PathPattern | None
    ) -> Setting:
        span = self.span(start, end)
        if status is not None and status.value not in REDIRECTS:
            advice = "write 301, 302, 307 or 308"
            self.find("MP110", f"`{status.value}` is no redirect", status.span, "not a redirect", advice=advice)
        if host is None and path is None:
            advice = 'write `redirect host "…"`, `redirect path /…` or both'
            self.find("MP123", "a redirect leads to the same place", span, "no host and no path", advice=advice)
        return Setting("redirect", Redirect(status, host, path, span=span), span)

    def redirect_path(self, _start: int, _end: int, path: PathPattern) -> PathPattern:
        return self.literal_path(path)

    def header_set(self, start: int, end: int, name: Text, value: StringValue) -> Setting:
        return self._header(start, end, HeaderAction.SET, name, value)

    def header_add(self, start: int, end: int, name: Text, value: StringValue) -> Setting:
        return self._header(start, end, HeaderAction.ADD, name, value)

    def header_remove(self, start: int, end: int, name: Text) -> Setting:
        return self._header(start, end, HeaderAction.REMOVE, name, None)

    def _header(self, start: int, end: int, action: HeaderAction, name: Text, value: StringValue | None) -> Setting:
        span = self.span(start, end)
        return Setting("header", HeaderEdit(action, name, value, span=span), span)

    def cors(self, start: int, end: int, *entries: Setting) -> Setting:
        settings = Settings(self, entries)
        span = self.span(start, end)
        methods = settings.entry("methods")
        cors = Cors(
            origins=settings.strings("origins"),
            methods=settings.many("methods", str),
            headers=settings.many("headers", Text),
            credentials=settings.one("credentials", Flag),
            max_age=settings.one("max-age", Duration),
            methods_at=span if methods is None else methods.span,
            span=span,
        )
        return Setting("cors", cors, span)

    def origins(self, start: int, end: int, values: tuple[StringValue, ...]) -> Setting:
        return Setting("origins", values, self.span(start, end))

    def cors_methods(self, start: int, end: int, *written: str) -> Setting:
        return Setting("methods", self.methods(start, "|".join(written)), self.span(start, end))

    def cors_headers(self, start: int, end: int, texts: tuple[Text, ...]) -> Setting:
        return Setting("headers", texts, self.span(start, end))

    def credentials(self, start: int, end: int) -> Setting:
        return self.flag("credentials", start, end)

    def max_age(self, start: int, end: int, duration: Duration) -> Setting:
        return Setting("max-age", duration, self.span(start, end))

    def fault_delay(self, start: int, end: int, delay: Duration, share: Percent) -> Setting:
        self.positive(delay)
        span = self.span(start, end)
        return Setting("fault delay", FaultDelay(delay, share, span=span), span)

    def fault_abort(self, start: int, end: int, status: Number, share: Percent) -> Setting:
        self.status(status)
        span = self.span(start, end)
        return Setting("fault abort", FaultAbort(status, share, span=span), span)

    def limit(self, start: int, end: int, *limits: Limit) -> Setting:
        return Setting("limit", limits, self.span(start, end))

    def limit_part(self, start: int, end: int, word: Name, amount: NumberValue) -> Limit:
        known = self.expect_word(word, [kind.value for kind in LimitKind], "limit")
        return Limit(LimitKind(word.text) if known else LimitKind.REQUESTS, amount, span=self.span(start, end))

    def eject(self, start: int, end: int, errors: NumberValue, duration: Duration, share: Percent) -> Setting:
        self.positive(duration)
        span = self.span(start, end)
        return Setting("eject", Ejection(errors, duration, share, span=span), span)

    def balance(self, start: int, end: int, word: Name, header: Text | None) -> Setting:
        span = self.span(start, end)
        known = self.expect_word(word, [kind.value for kind in BalanceKind], "way to balance")
        kind = BalanceKind(word.text) if known else BalanceKind.LEAST_REQUEST
        if known and (kind is BalanceKind.HASH) != (header is not None):
            advice = 'write `balance hash header "x"`, or `balance least-request` or `round-robin` alone'
            self.find("MP123", "`hash` and a header stand together or not at all", span, "half of it", advice=advice)
        return Setting("balance", Balance(kind, header, span=span), span)

    def weights(self, start: int, end: int, controller: Text) -> Setting:
        return Setting("weights", controller, self.span(start, end))
