"""A client of another make (gRPC's C core) that learns the protocol from the server's reflection.

stranger.py ADDRESS CA CERT KEY REPOSITORY UNKNOWN: prints one JSON document with what it was told.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, ca, cert, key, repository, unknown = sys.argv[1:]
read = lambda path: open(path, "rb").read()
channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(read(ca), read(key), read(cert)))
TIMEOUT = 20


def fields(data):
    """The fields of a message, as (number, bytes), where all of them are bytes: enough to talk to reflection."""
    at = 0
    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        tag = number()
        if tag & 7 == 0:
            number()
            continue
        size = number()
        yield tag >> 3, data[at : at + size]
        at += size


def reflect(number, text):
    """Asks reflection one question; returns the response's fields."""
    question = bytes([number << 3 | 2, len(text)]) + text.encode()
    talk = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    return dict(fields(next(talk(iter([question]), timeout=TIMEOUT))))


services = sorted(dict(fields(each))[1].decode() for number, each in fields(reflect(7, "")[6]) if number == 1)

pool = descriptor_pool.DescriptorPool()
waiting = {}
for service in ("lockstep.v1.SyncService", "lockstep.v1.ClusterService"):
    for _, data in fields(reflect(4, service)[4]):
        file = descriptor_pb2.FileDescriptorProto.FromString(data)
        waiting[file.name] = file
while waiting:
    ready = [file for file in waiting.values() if not any(name in waiting for name in file.dependency)]
    for file in ready:
        pool.Add(waiting.pop(file.name))
factory = message_factory.MessageFactory(pool)


def call(service, method, request, stream=False):
    found = pool.FindServiceByName(service).FindMethodByName(method)
    make = channel.unary_stream if stream else channel.unary_unary
    stub = make(
        f"/{service}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=factory.GetPrototype(found.output_type).FromString,
    )
    message = json_format.ParseDict(request, factory.GetPrototype(found.input_type)())
    answer = stub(message, timeout=TIMEOUT)
    show = lambda each: json_format.MessageToDict(each, including_default_value_fields=True)
    return [show(each) for each in answer] if stream else show(answer)


def refusal(*args, **options):
    try:
        call(*args, **options)
    except grpc.RpcError as error:
        details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
        return {"code": error.code().name, "message": error.details(), "named": b"REPOSITORY_NOT_FOUND" in details}


SYNC, CLUSTER = "lockstep.v1.SyncService", "lockstep.v1.ClusterService"
print(
    json.dumps(
        {
            "services": services,
            "version": call(SYNC, "GetVersion", {"repository": repository}),
            "read": call(SYNC, "BeforeRead", {"repository": repository}),
            "fetched": call(SYNC, "FetchFrom", {"repository": repository}, stream=True),
            "log": call(CLUSTER, "ListLog", {"repository": repository}),
            "status": call(CLUSTER, "GetStatus", {}),
            "refusal": refusal(SYNC, "GetVersion", {"repository": unknown}),
            "streamed_refusal": refusal(SYNC, "FetchFrom", {"repository": unknown}, stream=True),
        }
    )
)
