@_exported public import Backends
@_exported public import Configuration
@_exported public import EventModel
