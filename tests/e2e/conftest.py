"""What tests against foreign programs need: where a package of the extra `oracles` is missing, they are not collected.

`test_left_out.py` says so.
"""

from __future__ import annotations

from tests.e2e.packages import missing_packages

collect_ignore = ["envoy", "istio/test_on_air.py"] if missing_packages() else []
