"""The messages that every Jupyter kernel has to get right, and those of our own beside them."""

from __future__ import annotations

import tempfile

import jupyter_kernel_test
import pytest
from jupyter_kernel_test import msgspec_v5

from kernel_real.notebook import KERNEL
from kernel_real.schemas import BANNER_UPDATE, SPARK_STATUS

msgspec_v5.schema_fragments["spark_status"] = SPARK_STATUS
msgspec_v5.schema_fragments["banner_update"] = BANNER_UPDATE


class TestJupyterProtocol(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('to standard error', file=sys.stderr)"
    completion_samples = [  # noqa: RUF012  # as the base class has it
        {"text": "zi", "matches": {"zip"}},
        {"text": "spark.createDataF", "matches": {"createDataFrame"}},
        {"text": "sc.parall", "matches": {"parallelize"}},
    ]
    complete_code_samples = ["1", "print('hello')", "spark.range(1)", "%spark status"]  # noqa: RUF012
    incomplete_code_samples = ["for i in range(3):", "(spark\n .range(1)", "def f():\n    x=1"]  # noqa: RUF012
    invalid_code_samples = ["import = 7q", "spark..range(1)"]  # noqa: RUF012
    code_page_something = "%spark?"
    code_inspect_sample = "spark"
    code_generate_error = "raise ValueError('on purpose')"
    code_execute_result = [  # noqa: RUF012
        {"code": "6 * 7", "result": "42"},
        {"code": "spark.range(3).count()", "result": "3"},
        {"code": "spark", "mime": "text/html"},
    ]
    code_display_data = [  # noqa: RUF012
        {
            "code": "from IPython.display import HTML; display(HTML('<b>x</b>'))",
            "mime": "text/html",
        },
        {"code": "display(spark)", "mime": "text/html"},
        {"code": "%spark status", "mime": "text/html"},
    ]
    code_clear_output = "from IPython.display import clear_output; clear_output()"
    code_history_pattern = "6 *"
    # Without "range": its test fails for ipykernel itself too.
    supported_history_operations = ("tail", "search")

    @classmethod
    def setUpClass(cls) -> None:
        """Start the kernel, and wait for Spark: its first messages are tested elsewhere.

        The history is its own: what other tests have typed is not to be found in it.
        """
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.addClassCleanup(folder.cleanup)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("IPYTHONDIR", folder.name)
            super().setUpClass()
        cls.kc.execute_interactive("spark.range(1).count()", timeout=120)
