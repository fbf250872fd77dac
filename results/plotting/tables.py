"""Tables as CSV."""
import csv
import io


def exact(value):
    value = float(value)
    return "" if value != value else str(int(value)) if value.is_integer() else repr(value)


def csv_of(names, rows):
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(names)
    for row in rows:
        write(row)
    return out.getvalue()
