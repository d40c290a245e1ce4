using Microsoft.ML.OnnxRuntime;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Benchmarks.Peers;

/// <summary>Our exported model in ONNX Runtime: its own LSTM operator, one thread, memory bound once and exchanged from step to step. What a user gets.</summary>
internal sealed class OnnxRuntimeExport : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _options = new();
    private readonly OrtIoBinding[] _bindings;
    private readonly List<IDisposable> _buffers = [];
    private int _turn;

    public OnnxRuntimeExport(LstmWeights weights, int batch)
    {
        using var model = new MemoryStream();
        OnnxExport.Write(model, weights);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        _session = new InferenceSession(model.ToArray(), options);
        LstmShape shape = weights.Shape;
        OrtValue input = Buffer(batch, shape.InputSize), output = Buffer(batch, shape.OutputSize);
        OrtValue[] h = [State(), State()], c = [State(), State()];
        _bindings = [Bind(0), Bind(1)];

        OrtValue State() => Buffer(shape.LayerCount, batch, shape.HiddenSize);

        OrtIoBinding Bind(int from)
        {
            OrtIoBinding binding = _session.CreateIoBinding();
            binding.BindInput("input", input);
            binding.BindInput("h", h[from]);
            binding.BindInput("c", c[from]);
            binding.BindOutput("output", output);
            binding.BindOutput("h_out", h[1 - from]);
            binding.BindOutput("c_out", c[1 - from]);
            return binding;
        }
    }

    public void Step()
    {
        _session.RunWithBinding(_options, _bindings[_turn]);
        _turn = 1 - _turn;
    }

    public void Dispose()
    {
        foreach (OrtIoBinding binding in _bindings)
        {
            binding.Dispose();
        }

        foreach (IDisposable buffer in _buffers)
        {
            buffer.Dispose();
        }

        _options.Dispose();
        _session.Dispose();
    }

    private OrtValue Buffer(params long[] sizes)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, sizes);
        value.GetTensorMutableDataAsSpan<float>().Fill(0.1f);
        _buffers.Add(value);
        return value;
    }
}
