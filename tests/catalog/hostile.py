"""What nobody sends by accident: the corpus of hostile files, and whole catalogs of them."""

import random
from pathlib import Path

from hypothesis import strategies as st

from tests.catalog.catalogs import AT_KEY, AT_MODULE, AT_NAMESPACE, AT_PROVIDER, WHOLE
from tests.catalog.yamls import texts

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(path.name for path in CORPUS.iterdir())
# Where kinds belong, nearly belong, and where a name only looks like another.
PATHS = (
    *WHOLE,
    "registry.yaml",
    "registry.yml",
    "policies/all.yaml",
    "connections/github.yaml",
    "alerts/ops.yaml",
    "mirrors/tofu.yaml",
    "storage/fast.yaml",
    "namespaces/platform/discoveries/all.yaml",
    "namespaces/platform/modules/vpc/aws.YML",
    "namespaces/PLATFORM/namespace.yaml",
    "namespaces/Platform/modules/VPC/aws.yaml",
    "namespaces/pl\u0430tform/modules/vpc/aws.yaml",
    "namespaces/\uff50latform/namespace.yaml",
    "namespaces/platform/modules/v\u200bpc/aws.yaml",
    "namespaces/platform/modules/\u202ecpv/aws.yaml",
    "namespaces/platform/modules/vpc/aws\x1b[2J.yaml",
    "namespaces/platform/modules/##vso[x]/aws.yaml",
    "namespaces/platform/modules/a,b:c;d]e%f\n/aws.yaml",
    "namespaces/.../modules/vpc/aws.yaml",
    "namespaces/platform/modules/vpc/aws/deeper.yaml",
    "namespaces.yaml",
    "namespaces/.yaml",
    "namespaces//namespace.yaml",
)


def sample(name: str) -> bytes:
    return (CORPUS / name).read_bytes()


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A sound declaration or a hostile file, hit a few times."""
    data = bytearray(draw(st.sampled_from([*WHOLE.values()])).encode())
    chance: random.Random = draw(st.randoms(use_true_random=False))
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(data) + 1)
        data[at : at + chance.randint(0, 4)] = chance.choice(
            [chance.randbytes(2), b"\0", b"&a ", b"*a", b"\xff", b"- "]
        )
    return bytes(data)


contents = (
    st.sampled_from(FILES).map(sample)
    | _damaged()
    | texts().map(str.encode)
    | st.binary(max_size=200)
    | st.sampled_from([text.encode() for text in WHOLE.values()])
)
catalogs = st.dictionaries(st.sampled_from(PATHS), contents, min_size=1, max_size=6)
USUAL = (AT_MODULE, AT_PROVIDER, AT_NAMESPACE, AT_KEY, "registry.yaml")
