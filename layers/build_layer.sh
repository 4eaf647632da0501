#!/usr/bin/env bash
# Builds one layer into ARTIFACTS_DIR: Dependencies, Core or Policy. The Makefile beside it explains the variables.

set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1 # no bytecode beside the sources that a layer is built from

: "${ARTIFACTS_DIR:?names the folder to build into}"

LAMBDA_PYTHON=3.13
# The services that the product calls. Their descriptions are most of botocore's size, so the others are left out.
SERVICES=" dynamodb events kms s3 scheduler secretsmanager sesv2 sqs sts "
# What Powertools can do as well, and nothing here asks for.
UNUSED_UTILITIES="auth_alpha batch circuit_breaker data_masking feature_flags idempotency kafka parameters parser streaming"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages="$ARTIFACTS_DIR/python"

install_locked() { # requirements file, target folder, further options of pip
    local requirements=$1 target=$2
    shift 2
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps \
        --only-binary :all: --no-compile --target "$target" --requirement "$requirements" "$@"
}

build_dependencies() {
    local platform=()
    if [[ $LAYER_TARGET == lambda ]]; then
        platform=(--platform manylinux2014_aarch64 --implementation cp --python-version "$LAMBDA_PYTHON")
    fi

    rm -rf "$packages"
    install_locked "$here/dependencies/requirements.txt" "$packages" ${platform[@]+"${platform[@]}"}
    rm -rf "$packages/bin"
    leave_out_unused
    compile_all "$packages"
    "$PYTHON" - "$packages" <<'PYTHON'
import os, sys
size = sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(sys.argv[1]) for name in names)
print(f"dependencies: {size / 1e6:.1f} MB unpacked")
PYTHON
}

leave_out_unused() {
    local service
    for service in "$packages"/botocore/data/*/; do
        if [[ $SERVICES != *" $(basename "$service") "* ]]; then
            rm -rf "$service"
            continue
        fi
        # botocore takes the newest version of a service when none is asked for, and none is.
        find "$service" -mindepth 1 -maxdepth 1 -type d | sort | sed '$d' | while IFS= read -r older; do rm -rf "$older"; done
    done
    find "$packages/botocore/data" -name 'examples-*.json*' -delete
    slim_descriptions
    # The browser's view of an interface description is switched off, and addresses are checked without asking DNS.
    find "$packages/aws_lambda_powertools/event_handler/openapi/swagger_ui" \( -name '*.js' -o -name '*.css' \) -delete
    rm -rf "$packages"/dns "$packages"/dnspython-*
    # cffi and pycparser build bindings; ready ones need _cffi_backend only. No model of ours is of pydantic's version 1.
    rm -rf "$packages"/cffi "$packages"/pycparser "$packages"/pycparser-* "$packages"/pydantic/v1
    local utility
    for utility in $UNUSED_UTILITIES; do rm -rf "$packages/aws_lambda_powertools/utilities/$utility"; done
    find "$packages" -depth -type d \( -name tests -o -name test -o -name __pycache__ \) -exec rm -rf {} +
    # pydantic asks for the version of email-validator, so METADATA stays; licences stay with what they license.
    find "$packages" -path '*.dist-info/*' -type f \
        ! -name METADATA ! -ipath '*licen[cs]e*' ! -iname 'notice*' ! -iname 'copying*' -delete
    find "$packages" -depth -type d -empty -delete
}

# A client reads its service's description and all endpoints when it is made. Explanations for people are most of the
# one, and services that are never called most of the other.
slim_descriptions() {
    "$PYTHON" - "$packages/botocore/data" $SERVICES <<'PYTHON'
import gzip, json, pathlib, sys

def without_prose(value):
    if isinstance(value, list):
        return [without_prose(each) for each in value]
    if not isinstance(value, dict):
        return value
    # A member may be called documentation too; it is an object then, not a text.
    return {k: without_prose(v) for k, v in value.items() if not (k == "documentation" and isinstance(v, str))}

def write(file, value):
    file.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")

data, services = pathlib.Path(sys.argv[1]), set(sys.argv[2:])
for packed in data.rglob("*.json.gz"):
    description = without_prose(json.loads(gzip.decompress(packed.read_bytes())))
    # The one place where botocore insists on an explanation, in the description of S3.
    for parameter in description.get("clientContextParams", {}).values():
        parameter["documentation"] = ""
    write(packed.with_suffix(""), description)
    packed.unlink()
endpoints = data / "endpoints.json"
known = json.loads(endpoints.read_text(encoding="utf-8"))
# sesv2 is listed under the name that its host has.
for partition in known["partitions"]:
    partition["services"] = {k: v for k, v in partition["services"].items() if k in services | {"email"}}
write(endpoints, known)
PYTHON
}

# Lambda cannot write bytecode into a layer, and would compile on every cold start. "unchecked-hash" ignores the dates
# of files, which packing a layer changes.
compile_all() { # folder
    local python=$PYTHON
    if [[ $LAYER_TARGET == lambda ]]; then python="python$LAMBDA_PYTHON"; fi
    if "$python" -c '' 2>/dev/null; then
        "$python" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$packages" "$1"
    else
        echo "$python is not here: the layer is built without bytecode, and cold starts take longer." >&2
    fi
}

build_core() {
    mkdir -p "$packages"
    rm -rf "$packages/consent_center"
    cp -R "$here/core/python/consent_center" "$packages/"
    find "$packages/consent_center" -depth -type d -name __pycache__ -exec rm -rf {} +
    # Functions read compiled catalogues only; what they are compiled from is for translators.
    find "$packages/consent_center" -name '*.po' -o -name '*.pot' | while IFS= read -r source; do rm -f "$source"; done
    compile_all "$packages/consent_center"
}

build_policy() {
    local compiler=${COMPILER_PYTHON:-} path="$here/policy"
    mkdir -p "$packages"
    if [[ -z $compiler ]]; then
        libraries=$(mktemp -d)
        trap 'rm -rf "$libraries"' EXIT
        install_locked "$here/policy/compiler-requirements.txt" "$libraries"
        compiler=$PYTHON
        path="$path:$libraries"
    fi
    PYTHONPATH="$path" "$compiler" -m policy_compiler --policy "$here/policy" --out "$packages"
}

case $LAYER_TARGET in
host | lambda) ;;
*)
    echo "LAYER_TARGET is lambda or host." >&2
    exit 2
    ;;
esac

case ${1:-} in
Dependencies) build_dependencies ;;
Core) build_core ;;
Policy) build_policy ;;
*)
    echo "Name a layer: Dependencies, Core or Policy." >&2
    exit 2
    ;;
esac
