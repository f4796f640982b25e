"""Reading the files of a policy, and those that they use.

Nothing here raises on bad input: what cannot be read becomes a finding. Paths are shown relative to the root of the
policy, with forward slashes, and never name the machine.
"""

from __future__ import annotations

from meshproof.dsl.loader.loaded import Limits, Loaded, LoadedDocument, PackReader, no_packs
from meshproof.dsl.loader.loading import load, load_texts

__all__ = ["Limits", "Loaded", "LoadedDocument", "PackReader", "load", "load_texts", "no_packs"]
