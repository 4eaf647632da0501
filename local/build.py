"""Builds the layers for this computer: `python -m local.build`."""

import sys

from local import deploy, layers, template
from local.errors import LocalStackError
from local.installation import ROOT, interpreter


def main() -> int:
    try:
        # The layers do not depend on parameters; any values will do.
        unused = dict.fromkeys(("PublicUrl", "JwtIssuer", "JwtAudience", "SenderDomain"), "")
        read = template.load(ROOT / "template.yaml", unused, deploy.CODE_ADDRESS)
        for folder in layers.build_for(read, ROOT / "layers", interpreter("runtime")).values():
            sys.stdout.write(f"{folder.parent}\n")
    except LocalStackError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
