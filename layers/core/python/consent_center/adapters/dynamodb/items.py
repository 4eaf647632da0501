"""The items of each table. An item says its version `v`; readers upgrade what older versions wrote."""

from pynamodb.attributes import (
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.models import Model


class _Item(Model):
    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    v = NumberAttribute(default=1)


class StateItem(_Item):
    """The newest decisions of one contact point. Short names: every permission check reads this item."""

    class Meta:
        table_name: str

    version = NumberAttribute()
    chain = UnicodeAttribute(null=True)
    seq = NumberAttribute(default=0)
    head = UnicodeAttribute(null=True)
    at = NumberAttribute(default=0)
    controller = UnicodeAttribute(null=True)
    lang = UnicodeAttribute(null=True)
    d: MapAttribute[str, str] = MapAttribute(default=dict)
    p: MapAttribute[str, int] = MapAttribute(default=dict)
    locks: ListAttribute[str] = ListAttribute(null=True)
    prefs: MapAttribute[str, str] = MapAttribute(null=True)
    heard = NumberAttribute(null=True)
    review = UnicodeAttribute(null=True)
    listed = UnicodeAttribute(null=True)
    rule = UnicodeAttribute(null=True)
    holder = NumberAttribute(null=True)
    here = NumberAttribute(null=True)
    supp = UnicodeAttribute(null=True)
    erasing = UnicodeAttribute(null=True)
    inform = NumberAttribute(null=True)
    moved_to = UnicodeAttribute(null=True)
    moved_from = UnicodeAttribute(null=True)
    former: ListAttribute[str] = ListAttribute(null=True)
    came: ListAttribute[str] = ListAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class ProfileItem(_Item):
    class Meta:
        table_name: str

    address = UnicodeAttribute()
    normalised = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    company = UnicodeAttribute(null=True)
    interests: ListAttribute[str] = ListAttribute(default=list)
    lang = UnicodeAttribute()
    expires_at = NumberAttribute(null=True)


class RequestItem(_Item):
    class Meta:
        table_name: str

    address = UnicodeAttribute()
    normalised = UnicodeAttribute()
    controller = UnicodeAttribute()
    channel = UnicodeAttribute()
    purpose = UnicodeAttribute()
    topics: ListAttribute[str] = ListAttribute()
    lang = UnicodeAttribute()
    notice = UnicodeAttribute()
    requested_at = NumberAttribute()
    expires_at = NumberAttribute()
    name = UnicodeAttribute(null=True)
    company = UnicodeAttribute(null=True)
    interests: ListAttribute[str] = ListAttribute(default=list)
    source = UnicodeAttribute()
    code_key = UnicodeAttribute(null=True)
    attested = UnicodeAttribute(null=True)


class AddressRequestItem(_Item):
    class Meta:
        table_name: str

    address = UnicodeAttribute()
    normalised = UnicodeAttribute()
    controller = UnicodeAttribute()
    channel = UnicodeAttribute()
    moves = UnicodeAttribute()
    chain = UnicodeAttribute()
    lang = UnicodeAttribute()
    requested_at = NumberAttribute()
    expires_at = NumberAttribute()


class PayloadItem(_Item):
    class Meta:
        table_name: str

    salt = UnicodeAttribute()
    content = UnicodeAttribute()
    more = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class EntryItem(_Item):
    """A ledger entry, kept as the very text that was hashed."""

    class Meta:
        table_name: str

    body = UnicodeAttribute()
    hash = UnicodeAttribute()
    day = UnicodeAttribute()


class LetterItem(_Item):
    class Meta:
        table_name: str

    held_until = NumberAttribute()
    sent = NumberAttribute(default=0)
    expires_at = NumberAttribute()


class LimitItem(_Item):
    """How often a name was used: in one hour, or until it ends."""

    class Meta:
        table_name: str

    n = NumberAttribute(default=0)
    expires_at = NumberAttribute()


class BlockItem(_Item):
    class Meta:
        table_name: str

    expires_at = NumberAttribute()


SUBJECTS_ITEMS = (StateItem, ProfileItem, RequestItem, AddressRequestItem, PayloadItem)
LEDGER_ITEMS = (EntryItem,)
TRANSIENT_ITEMS = (LetterItem, LimitItem, BlockItem)
