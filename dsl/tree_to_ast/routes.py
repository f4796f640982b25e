"""Routes and their branches."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.routes import Branch, Otherwise, Route, RouteBranch, RouteSettings, Target
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Name, Percent, PortRef, StringValue
from meshproof.dsl.tree_to_ast.base import Setting, Settings
from meshproof.dsl.tree_to_ast.route_settings import RouteSettingsBuilder


@dataclass(frozen=True, slots=True)
class _End:
    targets: tuple[Target, ...]
    settings: RouteSettings | None


@dataclass(frozen=True, slots=True)
class _Match:
    host: StringValue | None = None
    methods: tuple[str, ...] = ()
    path: PathPattern | None = None
    when: Expression | None = None


class RoutesBuilder(RouteSettingsBuilder):
    """The productions of routes."""

    def route(self, start: int, end: int, destinations: SetExpression, *entries: Branch | Otherwise | Setting) -> Route:
        branches = tuple(entry for entry in entries if isinstance(entry, Branch | Otherwise))
        self._otherwise_last(branches)
        settings = Settings(self, [entry for entry in entries if isinstance(entry, Setting)])
        span = self.span(start, end)
        return Route(
            self.as_destinations(destinations),
            branches,
            self.route_settings(settings, start, end),
            settings.env(),
            span=span,
        )

    def _otherwise_last(self, branches: tuple[RouteBranch, ...]) -> None:
        for position, branch in enumerate(branches[:-1]):
            if isinstance(branch, Otherwise):
                after = branches[position + 1]
                advice = "put `otherwise` last"
                message = "a branch stands after `otherwise`, which takes every request"
                self.find("MP123", message, after.span, "takes nothing", advice=advice)
                return

    def branch(self, start: int, end: int, match: _Match, then: _End) -> Branch:
        return Branch(
            match.host, match.methods, match.path, match.when, then.targets, then.settings, span=self.span(start, end)
        )

    def otherwise(self, start: int, end: int, then: _End) -> Otherwise:
        return Otherwise(then.targets, then.settings, span=self.span(start, end))

    def branch_match(
        self,
        start: int,
        _end: int,
        host: StringValue | None,
        methods: str | None,
        path: PathPattern | None,
        when: Setting | None,
    ) -> _Match:
        taken = () if methods is None else self.methods(start, methods)
        conditions = Settings(self, [when] if when else []).conditions("when")
        return _Match(host, taken, path, conditions[0] if conditions else None)

    def branch_match_methods(
        self, start: int, end: int, methods: str, path: PathPattern | None, when: Setting | None
    ) -> _Match:
        return self.branch_match(start, end, None, methods, path, when)

    def branch_match_path(self, start: int, end: int, path: PathPattern, when: Setting | None) -> _Match:
        return self.branch_match(start, end, None, None, path, when)

    def branch_match_when(self, start: int, end: int, when: Setting) -> _Match:
        return self.branch_match(start, end, None, None, None, when)

    def branch_host(self, _start: int, _end: int, host: StringValue) -> StringValue:
        return host

    def branch_end(self, _start: int, _end: int, targets: tuple[Target, ...], settings: RouteSettings | None) -> _End:
        if settings is not None and settings.redirect is not None:
            message = "a branch redirects and has targets"
            advice = "a redirect sends nothing on: write `=> { redirect … }`"
            self.find("MP123", message, settings.redirect.span, "sends the caller elsewhere", advice=advice)
        return _End(targets, settings)

    def branch_end_undivided(self, _start: int, _end: int, settings: RouteSettings) -> _End:
        return _End((), settings)

    def targets(self, _start: int, _end: int, *targets: Target) -> tuple[Target, ...]:
        return targets

    def target(self, start: int, end: int, name: Name, port: PortRef | None, weight: Percent | None) -> Target:
        return Target(name, port, weight, span=self.span(start, end))

    def branch_settings(self, start: int, end: int, *entries: Setting) -> RouteSettings:
        return self.route_settings(Settings(self, entries), start, end)
