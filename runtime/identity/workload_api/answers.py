"""What an agent's messages say: own credentials and whom to trust, judged as those of files are."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundle, TrustBundles
from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.pem import certificates_der, key_der
from meshproof.runtime.identity.svid import Credentials, credentials
from meshproof.runtime.identity.workload_api.messages import SvidMessage, parse_bundles, parse_svids

_SCHEME = "spiffe://"


def credentials_of(data: bytes, expected: Collection[SpiffeId] = ()) -> Credentials:
    """The credentials of an X509SVIDResponse, with the bundles of all trust domains. Raises `CredentialsError`.

    `expected`: whose they should be, where the agent has several; if none of them is, and without it: the first, which
    the agent calls the default. A certificate must be that of the identity as which the agent gives it.
    """
    answer = parse_svids(data)
    _check(answer.revocation_lists)
    if not answer.svids:
        raise CredentialsError("the agent has no identity for this process")
    wanted = {one.uri for one in expected}
    chosen = next((one for one in answer.svids if one.spiffe_id in wanted), answer.svids[0])
    identity = SpiffeId.parse(chosen.spiffe_id)
    if identity is None:
        raise CredentialsError(f"`{chosen.spiffe_id}` of the agent is no SPIFFE ID of a workload")
    own = _bundle(identity.trust_domain, chosen.bundle)
    federated = (_bundle(_domain(name), content) for name, content in answer.federated)
    return _credentials(chosen, TrustBundles((own, *federated)), identity)


def bundles_of(data: bytes) -> TrustBundles:
    """The trust bundles of an X509BundlesResponse. Raises `CredentialsError`."""
    answer = parse_bundles(data)
    _check(answer.revocation_lists)
    if not answer.bundles:
        raise CredentialsError("the agent has no trust bundle for this process")
    return TrustBundles(_bundle(_domain(name), content) for name, content in answer.bundles)


def _credentials(chosen: SvidMessage, bundles: TrustBundles, identity: SpiffeId) -> Credentials:
    try:
        chain = certificates_der(chosen.chain)
    except CertificateError as error:
        raise CredentialsError(f"the own certificate is refused: {error}") from None
    try:
        own_key = key_der(chosen.key)
    except CredentialsError as error:
        raise CredentialsError(f"the own key is refused: {error}") from None
    return credentials(chain, own_key, bundles, identity)


def _bundle(domain: str, content: bytes) -> TrustBundle:
    try:
        return TrustBundle.of(domain, certificates_der(content))
    except CertificateError as error:
        raise CredentialsError(f"the trust bundle of `{domain}` is refused: {error}") from None


def _domain(name: str) -> str:
    """Bundles are named by the SPIFFE ID of their trust domain; some agents leave the scheme out."""
    return name.removeprefix(_SCHEME)


def _check(revocation_lists: Iterable[bytes]) -> None:
    """Whoever revokes must be heard: to pass over what says so would let in whom the agent shuts out."""
    if any(revocation_lists):
        raise CredentialsError("the agent sends revocation lists, which are not kept here")
