"""What the parts of the control share: refusals, and the fields of a request."""

NUMBER_MAX = 2**53 - 1


class Invalid(Exception):
    """The request is not valid: it was not and will not be done."""


class Refused(Exception):
    """The rules refuse the request; nothing changed."""

    def __init__(self, reason, value=None):
        super().__init__(reason)
        self.reason, self.value = reason, value


def text(fields, key):
    value = fields.get(key)
    if not isinstance(value, str):
        raise Invalid(f"`{key}` is not a string")
    return value


def identifier(fields, key):
    value = text(fields, key)
    if not value.strip() or value != value.strip():
        raise Invalid(f"`{key}` is blank, or begins or ends with white space")
    if len(value.encode()) > 256 or any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value):
        raise Invalid(f"`{key}` is longer than 256 bytes or holds a control character")
    return value


def optional(read, fields, key, *more):
    return None if fields.get(key) is None else read(fields, key, *more)


def number(fields, key, lowest=0, highest=NUMBER_MAX):
    value = fields.get(key)
    if type(value) is not int or not lowest <= value <= highest:
        raise Invalid(f"`{key}` is not a whole number from {lowest} to {highest}")
    return value
