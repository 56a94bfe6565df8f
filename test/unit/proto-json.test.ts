import protobuf from "protobufjs";
import { expect, it } from "vitest";
import { parseProtocol } from "../../src/protocol/proto.ts";

/** What encoding and decoding depend on, of all messages below `namespace`. */
function fieldsOf(namespace: protobuf.NamespaceBase): unknown[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Enum) return [{ name: nested.fullName, values: nested.values }];
    if (nested instanceof protobuf.Service)
      return nested.methodsArray.map(({ name, requestStream, responseStream, ...method }) => ({
        ...{ name, requestStream: requestStream === true, responseStream: responseStream === true },
        types: [method.resolvedRequestType?.fullName, method.resolvedResponseType?.fullName],
      }));
    const fields =
      nested instanceof protobuf.Type
        ? nested.fieldsArray.map(({ fullName, id, type, repeated, packed, map, partOf, ...field }) => ({
            ...{ fullName, id, type, repeated, packed, map, oneof: partOf?.fullName },
            ...{ resolved: field.resolvedType?.fullName, byDefault: field.typeDefault, presence: field.hasPresence },
          }))
        : [];
    return nested instanceof protobuf.Namespace ? [...fields, ...fieldsOf(nested)] : fields;
  });
}

it("the protocol is the same, read from JSON as the build writes it and from its .proto files", () => {
  const parsed = parseProtocol();
  const read = protobuf.Root.fromJSON(JSON.parse(JSON.stringify(parsed.toJSON())));
  const fields = fieldsOf(parsed);
  expect(fields.length).toBeGreaterThan(200);
  expect(fieldsOf(read)).toEqual(fields);
});
