"""No text of a CSV file is a formula to a spreadsheet, and every number stays one."""

import csv

import pytest

from model_outcomes.answers import terminal
from model_outcomes.publish.explorer import spreadsheets

BLANKS = {
    "nothing": "",
    "a blank": " ",
    "a tab": "\t",
    "a line break": "\n",
    "a return": "\r\n",
    "no-break": "\u00a0",
    "ideographic": "\u3000",
    "zero width": "\u200b\u200d\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "bidi": "\u202e\u2066",
    "control": "\x01\x7f\x9b",
    "line separator": "\u2028",
    "variation": "\ufe0f",
    "many": " \t\u00a0\ufeff \n",
}
SIGNS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\ufe66", "\ufe62", "\ufe63", "\ufe6b", "\u2212"]


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_what_a_spreadsheet_may_run_gets_an_apostrophe(blank: str, sign: str) -> None:
    formula = f'{blank}{sign}HYPERLINK("http://example.org")'
    assert terminal.spreadsheet_safe(formula) == f"'{formula}"
    ((cell,),) = csv.reader([spreadsheets._safe_rows(quoted(formula)).decode()])
    assert cell == f"'{formula}"


@pytest.mark.parametrize("text", ["'x", "\tx", "\rx", "\nx", "'=1"], ids=ascii)
def test_what_would_be_read_as_the_apostrophe_or_a_new_cell_gets_one_too(text: str) -> None:
    assert terminal.spreadsheet_safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", " ", "a=b", "gpt-5", "a+b", "5", "\u65e5", "\u00e9", "#x", "(a)", " a", "_=1"],
                         ids=ascii)  # fmt: skip
def test_plain_text_stays(value: str) -> None:
    assert terminal.spreadsheet_safe(value) == value


@pytest.mark.parametrize("value", [-1.5, -1, 0, 1e-7, -1e22, None, True])
def test_a_number_stays_a_number(value: object) -> None:
    assert terminal.spreadsheet_safe(value) is value
    if isinstance(value, float):
        assert spreadsheets._safe_rows(f"{value}\r\n".encode()) == f"{value}\r\n".encode()


@pytest.mark.parametrize("text", [" -1", "-1 ", "-inf", "+nan", "-1_0", "-\u0661", "-0x1", "-1+1", "-1\n"], ids=ascii)
def test_a_text_that_only_python_takes_for_a_number_gets_one_too(text: str) -> None:
    assert spreadsheets._safe_rows(quoted(text)).decode() in (f"'{text}\r\n", f'"\'{text}"\r\n')


def quoted(text: str) -> bytes:
    return ('"' + text.replace('"', '""') + '"\r\n').encode()
