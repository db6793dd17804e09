# SPDX-License-Identifier: GPL-3.0-or-later
"""What was delivered to a pipeline, oldest first: each delivery is a version, from 1. Pure; ``store.py`` keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Dict, Mapping, Optional, Tuple

FORMAT = 1
KEPT = 50
DOCUMENTS = 3
"""Versions whose rows are kept: the live one and those that a rollback can go to."""


@dataclass(frozen=True)
class Delivery:
    """``digest`` names the rows, ``operations`` is how many elements of maps were written or deleted for it, ``rows``
    how many there are in all tables. ``at`` is in seconds since 1970, ``by`` a user's name. ``rollback_to`` is the
    version that it brought back."""

    version: int
    digest: str
    strategy: str
    operations: int
    rows: int
    at: float
    by: str
    why: str = ""
    rollback_to: Optional[int] = None

    def to_json(self) -> Dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Delivery":
        """Raises KeyError, TypeError or ValueError."""
        return cls(**data)


@dataclass(frozen=True)
class History:
    """``configured`` is the document, by digest and version, that the live generation was made for by a
    ``program_swap``: part of what its name is made from. Empty before the first. ``conversions``: digest and layout ->
    the digest of the same rows in that layout."""

    deliveries: Tuple[Delivery, ...] = ()
    configured: str = ""
    conversions: Mapping[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Optional[Delivery]:
        return self.deliveries[-1] if self.deliveries else None

    @property
    def version(self) -> int:
        """0 before the first delivery."""
        return self.deliveries[-1].version if self.deliveries else 0

    @property
    def digest(self) -> str:
        return self.deliveries[-1].digest if self.deliveries else ""

    def find(self, version: int) -> Optional[Delivery]:
        return next((each for each in self.deliveries if each.version == version), None)

    def previous(self) -> Optional[Delivery]:
        """The newest version with other rows than the live one."""
        return next((each for each in reversed(self.deliveries) if each.digest != self.digest), None)

    def after(self, delivery: Delivery, configured: Optional[str] = None) -> "History":
        """With one more; the oldest go beyond :data:`KEPT`. The same version again takes the place of itself."""
        earlier = self.back_to(delivery.version - 1).deliveries
        kept = (*earlier, delivery)[-KEPT:]
        return replace(self, deliveries=kept, configured=self.configured if configured is None else configured)

    def back_to(self, version: int, configured: Optional[str] = None) -> "History":
        """Without what came after ``version``: for an undo."""
        kept = tuple(each for each in self.deliveries if each.version <= version)
        return replace(self, deliveries=kept, configured=self.configured if configured is None else configured)

    @property
    def documents(self) -> Tuple[str, ...]:
        """Digests whose rows are to be kept, the live one first."""
        found = dict.fromkeys(each.digest for each in reversed(self.deliveries))
        return tuple(found)[:DOCUMENTS]

    def converted(self, digest: str, layout: str, to: str) -> "History":
        """A document's rows are also there in another layout."""
        return replace(self, conversions={**self.conversions, f"{digest} {layout}": to})

    def converted_to(self, digest: str, layout: str) -> str:
        """Empty where they are not."""
        return self.conversions.get(f"{digest} {layout}", "")

    @property
    def _wanted(self) -> Dict[str, str]:
        """Conversions of documents that are kept."""
        return {key: to for key, to in self.conversions.items() if key.partition(" ")[0] in self.documents}

    @property
    def files(self) -> Tuple[str, ...]:
        """Digests of everything that is to be kept."""
        return (*self.documents, *self._wanted.values())

    def to_json(self) -> Dict[str, Any]:
        return {
            "format": FORMAT,
            "configured": self.configured,
            "conversions": self._wanted,
            "deliveries": [each.to_json() for each in self.deliveries],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "History":
        """Raises KeyError, TypeError or ValueError for what :meth:`to_json` has not made."""
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}; this version reads {FORMAT}")
        deliveries = tuple(Delivery.from_json(each) for each in data["deliveries"])
        return cls(deliveries, str(data["configured"]), dict(data["conversions"]))
