"""Programs that are skills, as text for `python -c`."""

ECHO = """
import json, os, sys
params = json.load(sys.stdin)
print(json.dumps({"result": {"params": params, "environment": dict(os.environ), "folder": os.getcwd()}}))
"""

FORGETS_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print('{"result": %d}' % child.pid, flush=True)
"""

HANGS_WITH_A_CHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("child").write_text(str(child.pid))
time.sleep(60)
"""
