"""What the table of types is made of: properties, their kinds, and the type that holds them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.aws.operation import Operation


class Kind(Enum):
    """What a property holds, as a complaint spells it."""

    TEXT = "a text"
    INTEGER = "a whole number"
    DECIMAL = "a number"
    FLAG = "true or false"
    JSON = "a JSON document"
    """Text that is compared as the document that it spells."""
    MAP = "a map of texts"
    LIST = "a list"
    SET = "a list in any order"
    OBJECT = "an object"
    ARCHIVE = "an archive"


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
    within: tuple[int, int | None] | None = None
    """The least and the most that it may be."""
    same: Callable[[Any, Any], bool] | None = None
    """Whether an input and what the cloud says mean the same, where spelling differs."""
    autoname: int = 0
    """How long the name may be that is generated when a program gives none."""
    own: tuple[str, str] | None = None
    """The calls that set it and take it away, where the type's calls do not."""
    template: str = ""
    """What an output is put together from: other properties, `id`, `region` and `account`."""


def pascal(name: str) -> str:
    """Return the name that most AWS services give a property: `memorySize` is `MemorySize`."""
    return name[:1].upper() + name[1:]


def _of(kind: Kind, **fixed: Any) -> Callable[..., Property]:
    def make(name: str, aws: str | None = "", **rest: Any) -> Property:
        spelled = pascal(name) if aws == "" else aws
        given: dict[str, Any] = {"aws": spelled, "told": spelled, **fixed, **rest}
        return Property(name=name, kind=kind, **given)

    return make


ITEM: Final = Property(name="", kind=Kind.TEXT)

text = _of(Kind.TEXT)
integer = _of(Kind.INTEGER)
decimal = _of(Kind.DECIMAL)
flag = _of(Kind.FLAG)
document = _of(Kind.JSON)
mapping = _of(Kind.MAP)
archive = _of(Kind.ARCHIVE)
texts = _of(Kind.LIST, item=ITEM)
text_set = _of(Kind.SET, item=ITEM)
out = _of(Kind.TEXT, output=True)


def record(name: str, *fields: Property, aws: str | None = "", **rest: Any) -> Property:
    """Return an object with the given fields."""
    return _of(Kind.OBJECT)(name, aws, fields={each.name: each for each in fields}, **rest)


def record_set(name: str, *fields: Property, aws: str | None = "", **rest: Any) -> Property:
    """Return a list of objects whose order means nothing."""
    return _of(Kind.SET)(name, aws, item=record("", *fields), **rest)


def below(at: str, *each: Property) -> tuple[Property, ...]:
    """Return properties that the API has within one of its parameters."""
    return tuple(
        replace(known, aws=known.aws and f"{at}.{known.aws}", told=known.told) for known in each
    )


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
    """Parameters by which calls find the resource: the property each comes from, or `id`."""
    id: str
    """What the id is put together from: inputs, and fields of the creating call's answer."""
    create: str
    read: str | Callable[["Operation"], Mapping[str, Any] | None]
    update: tuple[str, ...] | Callable[["Operation"], None]
    """The calls that take changes; the creating one takes all of the inputs again."""
    delete: str | Callable[["Operation"], None]
    answer: str = ""
    """Where in the answer of `read` the resource stands, maybe as one of a list."""
    tells: Callable[["Operation", dict[str, Any]], dict[str, Any] | None] | None = None
    """Completes what the cloud says of the resource; None when that is nothing."""
    sends: Callable[["Operation", dict[str, Any]], dict[str, Any]] | None = None
    """Completes the parameters of a create or an update."""
    ready: Callable[[Mapping[str, Any]], bool] | None = None
    """Whether it can be used, for a type that takes a while to come and to go."""
    unique: tuple[str, ...] = ()
    """Properties that no two resources may share: the old one goes before its replacement comes."""
    separator: str = "/"
    """What stands between the parts of the key in an import's id."""
    suffix: Callable[[Mapping[str, Any]], str] = lambda _: ""
    """The end of a generated name."""
    needs: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _: {}
    """What else is wrong with known inputs: property path to reason."""

    @property
    def tagged(self) -> bool:
        """Whether resources of the type carry tags."""
        return "tags" in self.properties

    @property
    def autoname(self) -> Property | None:
        """The property that gets a generated name when the program gives none."""
        return next((each for each in self.properties.values() if each.autoname), None)


_REGION: Final = text("region", None, computed=True, replaces=True)
_TAGS: Final = (mapping("tags", None), mapping("tagsAll", None, output=True))


def resource(
    token: str, service: str, *each: Property, tags: bool = False, noun: str = "", **rest: Any
) -> ResourceType:
    """Return a type; with a `noun` its calls are `create_<noun>`, `get_<noun>` and so on."""
    regional = () if service == "iam" else (_REGION,)
    calls: dict[str, Any] = {
        "create": f"create_{noun}",
        "read": f"get_{noun}",
        "update": (f"update_{noun}",),
        "delete": f"delete_{noun}",
    }
    properties = {known.name: known for known in (*each, *regional, *(_TAGS if tags else ()))}
    return ResourceType(
        token=f"aws:{token}", service=service, properties=properties, **calls | rest
    )
