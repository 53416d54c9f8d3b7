"""What a table of types is made of: properties, their kinds, and the type that holds them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.aws.operation import Operation


class Kind(Enum):
    """What a property holds."""

    TEXT = auto()
    INTEGER = auto()
    DECIMAL = auto()
    FLAG = auto()
    JSON = auto()
    """Text that is compared as the document that it spells."""
    MAP = auto()
    """Free keys, texts as values."""
    LIST = auto()
    SET = auto()
    """A list whose order means nothing."""
    OBJECT = auto()
    ARCHIVE = auto()


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a type, or of an object within one.

    `aws` is the name of the API's parameter and of the response's field; None where a type reads
    and writes the property in code of its own. `output` is never an input, `computed` is an input
    that the cloud fills in when it is absent, and `replaces` forces a replacement when it changes.
    """

    name: str
    kind: Kind
    aws: str | None = None
    required: bool = False
    default: Any = None
    replaces: bool = False
    computed: bool = False
    output: bool = False
    item: "Property | None" = None
    fields: Mapping[str, "Property"] = field(default_factory=dict)
    choices: tuple[Any, ...] = ()
    least: int | None = None
    most: int | None = None
    same: Callable[[Any, Any], bool] | None = None
    """Whether an input and what the cloud says mean the same, where spelling differs."""

    @property
    def empty(self) -> Any:
        """What an update sends to take the property away."""
        return _EMPTY.get(self.kind)


_EMPTY: Final = {
    Kind.TEXT: "",
    Kind.JSON: "",
    Kind.MAP: {},
    Kind.LIST: [],
    Kind.SET: [],
    Kind.OBJECT: {},
}


def pascal(name: str) -> str:
    """Return the name that most AWS services give a property: `memorySize` is `MemorySize`."""
    return name[:1].upper() + name[1:]


def _of(kind: Kind) -> Callable[..., Property]:
    def make(name: str, aws: str | None = "", **rest: Any) -> Property:
        return Property(name=name, kind=kind, aws=pascal(name) if aws == "" else aws, **rest)

    return make


text = _of(Kind.TEXT)
integer = _of(Kind.INTEGER)
decimal = _of(Kind.DECIMAL)
flag = _of(Kind.FLAG)
document = _of(Kind.JSON)
mapping = _of(Kind.MAP)
archive = _of(Kind.ARCHIVE)

_TEXT_ITEM: Final = Property(name="", kind=Kind.TEXT)


def texts(name: str, aws: str | None = "", **rest: Any) -> Property:
    """Return a list of texts, in an order that means something."""
    return _of(Kind.LIST)(name, aws, item=_TEXT_ITEM, **rest)


def text_set(name: str, aws: str | None = "", **rest: Any) -> Property:
    """Return a list of texts whose order means nothing."""
    return _of(Kind.SET)(name, aws, item=_TEXT_ITEM, **rest)


def record(name: str, *fields: Property, aws: str | None = "", **rest: Any) -> Property:
    """Return an object with the given fields."""
    return _of(Kind.OBJECT)(name, aws, fields={each.name: each for each in fields}, **rest)


def records(
    name: str, *fields: Property, aws: str | None = "", ordered: bool = False, **rest: Any
) -> Property:
    """Return a list of objects with the given fields, as a set unless it is `ordered`."""
    return _of(Kind.LIST if ordered else Kind.SET)(name, aws, item=record("", *fields), **rest)


def out(name: str, aws: str | None = "", kind: Kind = Kind.TEXT) -> Property:
    """Return a property that only the cloud sets."""
    return _of(kind)(name, aws, output=True)


@dataclass(frozen=True, kw_only=True)
class Tagging:
    """How a service takes the tags of a resource, and gives them back."""

    parameter: str = "Tags"
    tag_parameter: str | None = None
    """Where the call that tags spells it otherwise than the one that creates."""
    pairs: bool = False
    """Tags are a list of `{Key, Value}` instead of a map."""
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    listing: str = "list_tags_for_resource"
    listed: str = "Tags"
    target: str = "ResourceARN"
    target_from: str = "arn"
    """The output that `target` takes; `id` is the resource's id."""
    keys: str = "TagKeys"


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One row of the table: a Pulumi type and how it lives in the cloud.

    `create` returns the id; `read` returns what the API says, by the API's names, and `update`
    applies `operation.changed`. A read that meets nothing may return None or let the API's error
    pass, and so may a delete.
    `outputs` adds properties that no field of the response holds.
    """

    pulumi_name: str
    service: str
    properties: Mapping[str, Property]
    create: Callable[["Operation"], str]
    read: Callable[["Operation"], Mapping[str, Any] | None]
    delete: Callable[["Operation"], None]
    finish: Callable[["Operation"], None] | None = None
    """What is left to do and to wait for once the resource exists and has an id."""
    update: Callable[["Operation"], None] | None = None
    outputs: Callable[["Operation", Mapping[str, Any]], Mapping[str, Any]] | None = None
    autoname: str | None = None
    """The property that gets a generated name when the program gives none."""
    autoname_most: int = 255
    autoname_suffix: Callable[[Mapping[str, Any]], str] | None = None
    unique: tuple[str, ...] = ()
    """Properties that no two resources may share: the old one goes before its replacement comes."""
    import_id: tuple[str, ...] = ("id",)
    """What an id in an import is made of, between `separator`s."""
    separator: str = "/"
    compose_id: Callable[[Mapping[str, Any]], str] | None = None
    """Makes the id from the parts of an import's, where the two are spelled differently."""
    tagging: Tagging | None = None
    regional: bool = True
    volatile: frozenset[str] = frozenset()
    """Outputs that any update may change, hence unknown in a preview of one."""
    gaps: frozenset[str] = frozenset()
    """Properties that the emulator's answer leaves out although they are set."""
    requires: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    """What else is wrong with known inputs: property path to reason."""


def table(*types: ResourceType) -> dict[str, ResourceType]:
    """Return types by their token."""
    return {each.pulumi_name: each for each in types}


REGION: Final = text("region", None, computed=True, replaces=True)
TAGS: Final = mapping("tags", None)
TAGS_ALL: Final = mapping("tagsAll", None, output=True)


def properties(*each: Property, tags: bool = False, regional: bool = True) -> dict[str, Property]:
    """Return properties by name, with the ones that (nearly) every type has."""
    shared = ((REGION,) if regional else ()) + ((TAGS, TAGS_ALL) if tags else ())
    return {each_one.name: each_one for each_one in (*each, *shared)}
