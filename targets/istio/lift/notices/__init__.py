"""What objects say that is taken as it stands, and is hardly what was meant: one kind of thing a file.

The meaning of an object is not changed by any of this.
"""

from __future__ import annotations

from meshproof.targets.istio.lift.admission import Verdict
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.notices.ambient import notice_ambient
from meshproof.targets.istio.lift.notices.client_address import notice_client_addresses
from meshproof.targets.istio.lift.notices.client_certificates import notice_client_certificates
from meshproof.targets.istio.lift.notices.client_tls import notice_client_tls
from meshproof.targets.istio.lift.notices.dry_run import notice_dry_runs
from meshproof.targets.istio.lift.notices.literal_patterns import notice_literal_patterns
from meshproof.targets.istio.lift.notices.rivals import notice_rivals
from meshproof.targets.istio.lift.notices.root_selectors import notice_root_selectors
from meshproof.targets.istio.lift.notices.unmade_subsets import notice_unmade_subsets
from meshproof.targets.istio.lift.notices.waypoints import notice_waypoints
from meshproof.targets.istio.lift.objects import KubeObject


def notice_all(context: LiftContext, verdicts: dict[KubeObject, Verdict]) -> None:
    """Add what is noticed to the findings; of objects that are refused enough was said."""
    refused = frozenset(one for one, verdict in verdicts.items() if verdict.refusals)
    notice_literal_patterns(context, refused)
    notice_dry_runs(context, refused)
    notice_root_selectors(context, refused)
    notice_client_tls(context, refused)
    notice_unmade_subsets(context, refused)
    notice_ambient(context, refused)
    notice_waypoints(context, refused)
    notice_client_addresses(context, refused)
    notice_rivals(context, refused)
    notice_client_certificates(context, refused)
