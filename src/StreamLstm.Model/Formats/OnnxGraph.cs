using System.Runtime.InteropServices;

namespace StreamLstm.Model.Formats;

/// <summary>Collects the graph of an ONNX model; names wire it together. Field numbers are those of onnx.proto.</summary>
internal sealed class OnnxGraph
{
    // The oldest version that has every operator in the form used here, and the file layout of its time.
    private const int OpsetVersion = 14;
    private const int IrVersion = 7;

    private const int TypeFloat = 1;
    private const int TypeInt64 = 7;
    private const int AttributeIsInteger = 2;

    private readonly ProtobufWriter _graph = new();

    public OnnxGraph(string name) => _graph.Text(2, name);

    /// <summary>An operator; an empty name stands for an input or output that is left out.</summary>
    public void Node(string op, string[] inputs, string[] outputs, params ReadOnlySpan<(string Name, int Value)> attributes)
    {
        (string Name, int Value)[] entries = attributes.ToArray();
        _graph.Message(1, node =>
        {
            foreach (string input in inputs)
            {
                node.Text(1, input);
            }

            foreach (string output in outputs)
            {
                node.Text(2, output);
            }

            node.Text(4, op);

            foreach ((string name, int value) in entries)
            {
                node.Message(5, attribute =>
                {
                    attribute.Text(1, name);
                    attribute.Integer(3, value);
                    attribute.Integer(20, AttributeIsInteger);
                });
            }
        });
    }

    /// <summary>A constant of float32, row-major.</summary>
    public void Constant(string name, int[] sizes, ReadOnlySpan<float> values) =>
        Constant(name, TypeFloat, sizes, MemoryMarshal.AsBytes(values));

    /// <summary>A constant vector of int64.</summary>
    public void Constant(string name, ReadOnlySpan<long> values) =>
        Constant(name, TypeInt64, [values.Length], MemoryMarshal.AsBytes(values));

    /// <summary>An input of float32; a size is a number, or a name for what every call chooses.</summary>
    public void Input(string name, params object[] sizes) => _graph.Message(11, value => Describe(value, name, sizes));

    /// <summary>An output of float32; sizes as those of an input.</summary>
    public void Output(string name, params object[] sizes) => _graph.Message(12, value => Describe(value, name, sizes));

    /// <summary>Writes the model around the graph.</summary>
    public void Write(Stream file)
    {
        var model = new ProtobufWriter();
        model.Integer(1, IrVersion);
        model.Text(2, "StreamLstm");
        model.Message(7, _graph);
        model.Message(8, opset => opset.Integer(2, OpsetVersion));
        model.CopyTo(file);
    }

    private void Constant(string name, int type, int[] sizes, ReadOnlySpan<byte> values)
    {
        var tensor = new ProtobufWriter();

        foreach (int size in sizes)
        {
            tensor.Integer(1, size);
        }

        tensor.Integer(2, type);
        tensor.Text(8, name);
        tensor.Bytes(9, values);
        _graph.Message(5, tensor);
    }

    private static void Describe(ProtobufWriter value, string name, object[] sizes)
    {
        value.Text(1, name);
        value.Message(2, type => type.Message(1, tensor =>
        {
            tensor.Integer(1, TypeFloat);
            tensor.Message(2, shape =>
            {
                foreach (object size in sizes)
                {
                    shape.Message(1, dimension =>
                    {
                        if (size is int number)
                        {
                            dimension.Integer(1, number);
                        }
                        else
                        {
                            dimension.Text(2, (string)size);
                        }
                    });
                }
            });
        }));
    }
}
