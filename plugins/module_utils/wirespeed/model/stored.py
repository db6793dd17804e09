# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node is to be after its next boot, as the runs on it have asked so far.

Large things (objects, profiles) are named by their SHA-256 here; :mod:`..stored` keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from .intent import SELECTORS

FORMAT = 1
ABOUT_XDP = ("pipeline", "mode", "redirect_to", "foreign")
"""What an entry says of the hook rather than of the NIC's settings."""


@dataclass(frozen=True)
class StoredNic:
    """``entry`` is one of an intent's ``nics``, ``found`` the NICs that it stood for at its last run.

    ``profiles`` is the digest of the profile set that it was resolved with.
    """

    entry: Mapping[str, Any]
    found: Tuple[str, ...]
    profiles: str

    @property
    def selector(self) -> Tuple[str, str]:
        (key,) = [key for key in SELECTORS if self.entry.get(key) is not None]
        return key, str(self.entry[key])

    @property
    def pipeline(self) -> Optional[str]:
        return self.entry.get("pipeline")

    def without(self, names: Collection[str]) -> List["StoredNic"]:
        """The same for the NICs that are not among ``names``, which must be named one by one if there are any."""
        left = [name for name in self.found if name not in names]
        return [self] if len(left) == len(self.found) else [self.named(name) for name in left]

    def named(self, name: str) -> "StoredNic":
        """The same for one of its NICs."""
        asked = {key: value for key, value in self.entry.items() if key not in SELECTORS}
        return replace(self, entry={"name": name, **asked}, found=(name,))

    @property
    def tuned(self) -> bool:
        return bool(self.entry.get("profile_tuning", True) or self.entry.get("tuning"))

    @property
    def bare(self) -> "StoredNic":
        """The same without a pipeline."""
        return replace(self, entry={key: value for key, value in self.entry.items() if key not in ABOUT_XDP})

    def carrying(self, later: "StoredNic") -> "StoredNic":
        """Tuned as before, with what ``later`` says of the hook."""
        said = {key: value for key, value in later.entry.items() if key in (*ABOUT_XDP, "workload")}
        return replace(self, entry={**self.bare.entry, **said}, found=later.found)


@dataclass(frozen=True)
class StoredPipeline:
    """``bundled`` is a bundle's item with the object's digest in its place; ``asked`` the intent's entry.

    ``asked`` is None for a pipeline that nobody named, which came along for the targets of ``redirect_to``.
    """

    bundled: Mapping[str, Any]
    asked: Optional[Mapping[str, Any]]

    @property
    def name(self) -> str:
        return str(self.bundled["manifest"]["name"])


@dataclass(frozen=True)
class Stored:
    """``support`` names the digests of the newest programs of ours that all pipelines share; none before the first."""

    nics: Tuple[StoredNic, ...] = ()
    pipelines: Tuple[StoredPipeline, ...] = ()
    support: Mapping[str, str] = field(default_factory=dict)

    def merged(self, later: "Stored") -> "Stored":
        """After a run of ``later``: what it names is as it says, and what it does not name stays.

        Neither two entries for one NIC nor a pipeline that lost its last NIC by this run is left.
        """
        taken = {name for nic in later.nics for name in nic.found}
        selectors = {nic.selector for nic in later.nics}
        later = replace(later, nics=tuple(laid for nic in later.nics for laid in self._beneath(nic)))
        nics = [left for nic in self.nics if nic.selector not in selectors for left in nic.without(taken)]
        return self._with(tuple(nics), later.nics, later.pipelines, later.support)

    def _beneath(self, later: StoredNic) -> List[StoredNic]:
        """A run that was about hooks alone says nothing of the tuning that an earlier one has asked for."""
        if later.tuned:
            return [later]
        for nic in self.nics:
            if nic.selector == later.selector:
                return [nic.carrying(later)]
        known = {name: nic for nic in self.nics for name in nic.found}
        laid = [known[name].named(name).carrying(later.named(name)) for name in later.found if name in known]
        return laid + later.without(known)

    def without(self, nics: Collection[str], pipelines: Collection[str]) -> "Stored":
        """``nics`` lose their pipeline, ``pipelines`` go from all that carry them. NICs that are tuned stay so."""
        named = [nic.named(name).bare for nic in self.nics for name in nic.found if name in nics]
        others = [each for nic in self.nics for each in nic.without(nics)]
        left = [*named, *(nic.bare if nic.pipeline in pipelines else nic for nic in others)]
        kept = self._with(tuple(nic for nic in left if nic.tuned or nic.pipeline), (), (), self.support)
        return replace(kept, pipelines=tuple(each for each in kept.pipelines if each.name not in pipelines))

    def _with(
        self,
        nics: Tuple[StoredNic, ...],
        new_nics: Tuple[StoredNic, ...],
        new_pipelines: Tuple[StoredPipeline, ...],
        support: Mapping[str, str],
    ) -> "Stored":
        everything = (*nics, *new_nics)
        before, now = _used(self.nics), _used(everything)
        new = {pipeline.name for pipeline in new_pipelines}
        kept = [each for each in self.pipelines if each.name not in new]
        kept = [each for each in kept if each.name in now or each.name not in before]
        if not any(nic.entry.get("redirect_to") for nic in everything):
            kept = [each for each in kept if each.asked is not None]
        return Stored(everything, (*kept, *new_pipelines), support or self.support)

    def retuned(self, name: str, entry: Optional[Mapping[str, Any]], profiles: str) -> "Stored":
        """The tuning of one NIC is as ``entry`` says (None: nobody's); its hook stays as it is."""
        now = [nic.named(name) for nic in self.nics if name in nic.found]
        kept = (*ABOUT_XDP, "workload") if any(nic.entry.get("redirect_to") for nic in now) else ABOUT_XDP
        hook = {key: value for nic in now for key, value in nic.entry.items() if key in kept}
        made = StoredNic({**(entry or {"profile_tuning": False}), "name": name, **hook}, (name,), profiles)
        if not profiles and now:
            made = replace(made, profiles=now[0].profiles)
        others = [each for nic in self.nics for each in nic.without([name])]
        return replace(self, nics=tuple([*others, made] if made.tuned or made.pipeline else others))

    def replaced(self, pipeline: StoredPipeline) -> "Stored":
        others = [each for each in self.pipelines if each.name != pipeline.name]
        return replace(self, pipelines=(*others, pipeline))

    def batches(self) -> List["Stored"]:
        """Parts with one profile set each, oldest first, with the pipelines that their NICs carry.

        What no NIC carries comes with the last.
        """
        sets = list(dict.fromkeys(nic.profiles for nic in self.nics)) or [""]
        used = _used(self.nics)
        parts = []
        for digest in sets:
            nics = tuple(nic for nic in self.nics if nic.profiles == digest)
            mine = _used(nics)
            pipelines = tuple(
                each
                for each in self.pipelines
                if each.asked is None or each.name in mine or (each.name not in used and digest == sets[-1])
            )
            parts.append(Stored(nics, pipelines, self.support))
        return parts

    @property
    def intent(self) -> Dict[str, Any]:
        asked = [pipeline.asked for pipeline in self.pipelines if pipeline.asked is not None]
        return {"nics": [dict(nic.entry) for nic in self.nics], "pipelines": [dict(each) for each in asked]}

    @property
    def digests(self) -> Tuple[str, ...]:
        """Of everything that is kept beside this."""
        objects = [str(pipeline.bundled["object"]) for pipeline in self.pipelines]
        named = [*objects, *(nic.profiles for nic in self.nics), *self.support.values()]
        return tuple(dict.fromkeys(digest for digest in named if digest))

    def to_json(self) -> Dict[str, Any]:
        return {
            "format": FORMAT,
            "support": dict(self.support),
            "nics": [
                {"entry": dict(nic.entry), "found": list(nic.found), "profiles": nic.profiles} for nic in self.nics
            ],
            "pipelines": [{"bundled": dict(each.bundled), "asked": each.asked} for each in self.pipelines],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Stored":
        """Raises KeyError, TypeError or ValueError for what :meth:`to_json` has not made."""
        nics = [StoredNic(dict(nic["entry"]), _texts(nic["found"]), str(nic["profiles"])) for nic in data["nics"]]
        pipelines = [StoredPipeline(dict(each["bundled"]), each["asked"]) for each in data["pipelines"]]
        support = {str(name): str(digest) for name, digest in data["support"].items()}
        made = cls(tuple(nics), tuple(pipelines), support)
        # Whatever lacks a name or an object says so here, and not where it is used.
        dummy = [nic.selector for nic in nics], [pipeline.name for pipeline in pipelines], made.digests
        return made


def _texts(value: Any) -> Tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(value)


def _used(nics: Collection[StoredNic]) -> Collection[str]:
    return {nic.pipeline for nic in nics if nic.pipeline is not None}
