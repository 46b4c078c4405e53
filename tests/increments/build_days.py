"""Build the project several times in one process, each time as of a moment, from the files as they were.

Arguments: the steps as JSON, then options of `dbt build` for all. A step: {"as_of": …, "files": folder,
"options": of its own}.
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
        if "--selector" not in step["options"]:
            command += ["--exclude", "path:seeds/demo"]
        done = runner.invoke(
            ["--no-use-colors", *command, *step["options"], *options, "--vars", json.dumps(variables)]
        )
        if not done.success:
            return 1
        print("BUILT", step["as_of"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *sys.argv[2:]))
