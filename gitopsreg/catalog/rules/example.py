"""Small catalogs for the pages of rules: whole files, made of the few lines that matter."""

from textwrap import dedent, indent

HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"
GIT = "source: {type: git, url: https://github.com/acme/terraform-aws-vpc.git}"
FOLDER = "content/internal/1.0.0"
AT_MODULE = "namespaces/platform/modules/vpc/aws.yaml"
AT_PROVIDER = "namespaces/platform/providers/internal.yaml"
AT_KEY = "namespaces/platform/keys/release.yaml"
AT_NAMESPACE = "namespaces/platform/namespace.yaml"
AT_REGISTRY = "registry.yaml"


def document(kind: str, spec: str, *, metadata: str) -> str:
    """A whole document; `spec` is its lines, without their indentation."""
    return f"{HEAD}kind: {kind}\nmetadata: {metadata}\nspec:\n" + indent(dedent(spec).strip("\n") + "\n", "  ")


def module(
    spec: str = "", *, source: str = GIT, name: str = "vpc", metadata: str = "", at: str = "", above: str = ""
) -> dict[str, str]:
    """`platform/vpc/aws` with more lines of spec; `above` stands on top of the file."""
    lines = "\n".join(part for part in ("system: aws", source, dedent(spec).strip("\n")) if part)
    text = document("Module", lines, metadata=metadata or f"{{name: {name}}}")
    return {at or f"namespaces/platform/modules/{name}/aws.yaml": above + text}


def provider(
    spec: str = "", *, pin: str = f'{{version: "1.0.0", path: {FOLDER}}}', keys: str = "[release]"
) -> dict[str, str]:
    """`platform/internal`, from a folder of the catalog."""
    lines = f"source: {{type: catalog}}\nversions: {{pins: [{pin}]}}\n"
    verify = f"verify: {{keys: {keys}}}\n" if keys else ""
    return {AT_PROVIDER: document("Provider", lines + verify + dedent(spec), metadata="{name: internal}")}


def namespace(spec: str, *, name: str = "platform") -> dict[str, str]:
    return {f"namespaces/{name}/namespace.yaml": document("Namespace", spec, metadata=f"{{name: {name}}}")}


def registry(spec: str) -> dict[str, str]:
    return {AT_REGISTRY: document("Registry", spec, metadata="{name: default}")}


def key(block: str, *, fingerprint: str, more: str = "", name: str = "release") -> dict[str, str]:
    spec = f'fingerprint: "{fingerprint}"\n{more}publicKey: |\n' + indent(block, "  ")
    return {f"namespaces/platform/keys/{name}.yaml": document("SigningKey", spec, metadata=f"{{name: {name}}}")}


def other(kind: str, path: str, spec: str) -> dict[str, str]:
    """A document of any kind, named after its file."""
    name = path.rpartition("/")[2].removesuffix(".yaml")
    return {path: document(kind, spec, metadata=f"{{name: {name}}}")}
