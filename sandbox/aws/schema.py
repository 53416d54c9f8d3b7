"""What the table of types is made of: properties, their kinds, and the type that holds them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.aws.operation import Operation


class Kind(Enum):
    """What a property holds: as a complaint spells it, and what stands for nothing in it."""

    TEXT = "a text", ""
    INTEGER = "a whole number", 0
    DECIMAL = "a number", 0
    FLAG = "true or false", False
    JSON = "a JSON document", ""
    """Text that is compared as the document that it spells."""
    MAP = "a map of texts", {}
    LIST = "a list", []
    SET = "a list in any order", []
    OBJECT = "an object", {}
    ARCHIVE = "an archive", None

    def __init__(self, spoken: str, empty: Any) -> None:
        self.spoken = spoken
        self.empty = empty


@dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a type, or of an object within one."""

    name: str
    kind: Kind
    aws: str | None = None
    """The API's parameter, with dots between levels; None where nothing is sent."""
    told: str | None = None
    """Where the answer that describes the resource has it; None where nothing tells."""
    required: bool = False
    """Needed by the SDK's own word; `needed` is what only the service insists on."""
    needed: bool = False
    default: Any = None
    replaces: bool = False
    """A change forces a replacement."""
    computed: bool = False
    """An input that the cloud fills in when it is absent."""
    output: bool = False
    """Only the cloud sets it."""
    volatile: bool = False
    """Any update may change it, hence it is unknown in a preview of one."""
    item: "Property | None" = None
    fields: Mapping[str, "Property"] = field(default_factory=dict)
    choices: tuple[Any, ...] = ()
    within: tuple[float, float] | None = None
    """The least and the most that it may be."""
    same: Callable[[Any, Any], bool] | None = None
    """Whether an input and what the cloud says mean the same, where spelling differs."""
    autoname: int = 0
    """How long the name may be that is generated when a program gives none."""
    own: tuple[str, str] | None = None
    """The calls that set it and take it away, where the type's calls do not."""
    template: str = ""
    """What an output is put together from: other properties, `id`, `region` and `account`."""


Rows = tuple[Property, ...]
"""Rows of the table: a constructor below makes one for each of the names that it is given."""


def _of(kind: Kind, **fixed: Any) -> Callable[..., Rows]:
    """Return a constructor; most AWS services call `memorySize` `MemorySize`, others are named."""

    def make(names: str, aws: str | None = "", **rest: Any) -> Rows:
        rows: list[Property] = []
        for name in names.split() or [""]:
            spelled = name[:1].upper() + name[1:] if aws == "" else aws
            given: dict[str, Any] = {"aws": spelled, "told": spelled, **fixed, **rest}
            rows.append(Property(name=name, kind=kind, **given))
        return tuple(rows)

    return make


text = _of(Kind.TEXT)
integer = _of(Kind.INTEGER)
decimal = _of(Kind.DECIMAL)
flag = _of(Kind.FLAG)
document = _of(Kind.JSON)
mapping = _of(Kind.MAP)
archive = _of(Kind.ARCHIVE)
(ITEM,) = text("")
texts = _of(Kind.LIST, item=ITEM)
text_set = _of(Kind.SET, item=ITEM)
out = _of(Kind.TEXT, output=True)


def _by_name(rows: tuple[Rows, ...]) -> dict[str, Property]:
    return {each.name: each for each in chain(*rows)}


def record(name: str, *fields: Rows, **rest: Any) -> Rows:
    """Return an object with the given fields."""
    return _of(Kind.OBJECT, fields=_by_name(fields))(name, **rest)


def record_set(name: str, *fields: Rows, **rest: Any) -> Rows:
    """Return a list of objects whose order means nothing."""
    return _of(Kind.SET, item=record("", *fields)[0])(name, **rest)


def below(at: str, *rows: Rows) -> Rows:
    """Return properties that the API takes within one of its parameters."""
    return tuple(replace(known, aws=known.aws and f"{at}.{known.aws}") for known in chain(*rows))


TAGS: Final = (*mapping("tags", None), *mapping("tagsAll", None, output=True))


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One row of the table: a Pulumi type and how it lives in the cloud.

    Calls are named as the client has them; each takes what its own parameters are of the
    properties and of the `key`. Where that is not enough, a function takes the place of a call.
    """

    token: str
    service: str
    properties: Mapping[str, Property]
    key: Mapping[str, str]
    """Parameters by which calls find the resource: the property each comes from, or `id`. The first
    one that is the `id` says what the creating call takes or answers as such."""
    create: str
    read: str | Callable[["Operation"], Mapping[str, Any] | None]
    update: tuple[str, ...]
    """The calls that take changes; the creating one takes all of the inputs again."""
    delete: str | Callable[["Operation"], None]
    answer: str = ""
    """Where in the answer of `read` the resource stands, maybe as one of a list."""
    tells: Callable[["Operation", dict[str, Any]], dict[str, Any] | None] = lambda _, found: found
    """Completes what the cloud says of the resource; None when that is nothing."""
    sends: Callable[["Operation", dict[str, Any]], dict[str, Any]] = lambda _, given: given
    """Completes the parameters of a create or an update."""
    ready: Callable[[Mapping[str, Any]], bool] | None = None
    """Whether it can be used, for a type that takes a while to come and to go."""
    unique: tuple[str, ...] = ()
    """Properties that no two resources may share: the old one goes before its replacement comes."""
    separator: str = "/"
    """What stands between the parts of the key in an import's id."""
    id: str = ""
    """The id of a type whose key has none, where it is not the key's parts."""
    either: tuple[str, ...] = ()
    """Properties of which one has to be given."""

    @property
    def tagged(self) -> bool:
        """Whether resources of the type carry tags."""
        return "tags" in self.properties

    @property
    def autoname(self) -> Property | None:
        """The property that gets a generated name when the program gives none."""
        return next((each for each in self.properties.values() if each.autoname), None)


def resource(
    token: str, *rows: Rows, service: str = "", noun: str = "", put: str = "", **rest: Any
) -> ResourceType:
    """Return a type; with a `noun` its calls are `create_<noun>`, `get_<noun>` and so on.

    `put` is a call that creates and updates alike.
    """
    calls: dict[str, Any] = {
        "create": put or f"create_{noun}",
        "read": f"get_{noun}",
        "update": (put,) if put else (f"update_{noun}",) if noun else (),
        "delete": f"delete_{noun}",
    }
    service = service or token.split("/", maxsplit=1)[0]
    regional = text("region", None, computed=True, replaces=True, template="{region}")
    properties = _by_name(rows if service == "iam" else (*rows, regional))
    return ResourceType(
        token=f"aws:{token}", service=service, properties=properties, **calls | rest
    )
