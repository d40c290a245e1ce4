using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;

namespace StreamLstm.Daemon.Messages;

/// <summary>How one kind of event is written as JSON, and the schema that follows from it.</summary>
/// <typeparam name="T">The event.</typeparam>
internal sealed class EventShape<T>
{
    private EventShape(Func<T, object> body, Type type) => (Body, Type) = (body, type);

    /// <summary>What is written of an event.</summary>
    public Func<T, object> Body { get; }

    private Type Type { get; }

    /// <param name="body">Makes what is written of an event.</param>
    /// <typeparam name="TBody">Its type, which may have no name.</typeparam>
    public static EventShape<T> Of<TBody>(Func<T, TBody> body)
        where TBody : notnull => new(one => body(one), typeof(TBody));

    public string Write(T one) => JsonSerializer.Serialize(Body(one), Type, EventJson.Options);

    /// <summary>The schema of what is written; what is null is left out.</summary>
    /// <param name="type">The event's word in "type".</param>
    public JsonObject Schema(string type)
    {
        JsonObject schema = JsonSchemaExporter.GetJsonSchemaAsNode(EventJson.Options, Type, new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true }).AsObject();
        schema.Remove("required");
        schema["title"] = type;
        schema["properties"]!["type"] = new JsonObject { ["const"] = type };
        schema["required"] = new JsonArray("type");
        return schema;
    }
}
