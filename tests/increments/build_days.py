"""Build the project several times in one process, each time as of a moment, from the files as they were.

Arguments: the steps as JSON, then more options of `dbt build`. A step: {"as_of": …, "files": folder,
"hourly": whether only what the hourly job builds}.
"""

import json
import sys

from dbt.cli.main import dbtRunner

SOURCES = ("crm", "shop", "web", "support", "esp", "privacy")


def main(steps: str, *options: str) -> int:
    """0 if every build passed, else 1."""
    runner = dbtRunner()
    for step in json.loads(steps):
        variables = {source: {"files": f"{step['files']}/{source}/{{table}}/*.parquet"} for source in SOURCES}
        variables["as_of"] = step["as_of"]
        command = ["build", "--resource-type", "model", "--resource-type", "seed"]
        command += ["--selector", "hourly"] if step["hourly"] else ["--exclude", "path:seeds/demo"]
        done = runner.invoke(["--no-use-colors", *command, *options, "--vars", json.dumps(variables)])
        if not done.success:
            return 1
        print("BUILT", step["as_of"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *sys.argv[2:]))
