import subprocess
import sys


def test_rich_is_loaded_only_to_draw() -> None:
    """Whoever asks for JSON does not pay for a terminal."""
    code = (
        "import sys, aos.report, aos.report.figures, aos.report.parts.pictures;"
        "print('rich' in sys.modules);"
        "import aos.report.forecast.terminal;"
        "print('rich' in sys.modules, 'numpy' in sys.modules, 'rich.markdown' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True", "False", "False"]
