using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>A small LSTM that reads row by row what the indicators are worth, free of units, and says how likely there is a fault now.</summary>
/// <remarks>
/// It was trained on simulated lives (<c>Learning/JudgeTraining</c>), never on recorded data. Its output is the logarithm of
/// the odds of a fault, shifted so that at 0 a usual family's lives open half an incident in 10^<see cref="Line"/> clean rows: so
/// evidence is in decades of rows.
/// </remarks>
/// <param name="weights">One layer; its input is <see cref="InputSize"/> values, its output one.</param>
internal sealed class LearntJudge(LstmWeights weights)
{
    /// <summary>Decades of clean rows between two that come to an output of 0.</summary>
    public const double Line = 4;

    /// <summary>What the indicators' mean is worth more in rows than in blocks, as measured on simulated lives.</summary>
    public const double WithoutJudge = 1.5;

    /// <summary>Cells of one network; the judge is the mean of several.</summary>
    public const int HiddenSize = 24;

    /// <summary>Decades up to which, and above which four times as slowly, an indicator's say grows.</summary>
    private const double Knee = 2;
    private const double Slope = 4;
    private const double DecadesMax = 10;

    private static readonly Lazy<LstmWeights> _pretrained = new(ReadPretrained);

    private float[] _state = [];   // (StateSize), from the first row on

    /// <summary>The indicators, and the logarithm of the stream's age.</summary>
    public static int InputSize => ValueIndicators.Count + 1;

    /// <summary>The shape of one network.</summary>
    public static LstmShape Shape => new(InputSize, HiddenSize, layerCount: 1, outputSize: 1);

    /// <summary>The weights that come with the program.</summary>
    public static LstmWeights Pretrained => _pretrained.Value;

    /// <summary>Writes what the network is told of a row: (<see cref="InputSize"/>).</summary>
    /// <param name="decades">What the indicators are worth: (indicators).</param>
    /// <param name="row">The row's number.</param>
    /// <param name="input">Where it goes.</param>
    public static void Encode(ReadOnlySpan<double> decades, long row, Span<float> input)
    {
        for (int i = 0; i < decades.Length; i++)
        {
            double size = Math.Min(decades[i], DecadesMax);
            input[i] = (float)(size < Knee ? size / Knee : 1 + (size - Knee) / Slope);
        }

        input[decades.Length] = (float)(Math.Log10(row + 1) / 4);
    }

    /// <summary>Reads a row, and gives its evidence in decades of rows.</summary>
    public double Read(ReadOnlySpan<double> decades, long row, DetectionScratch scratch)
    {
        Span<float> input = stackalloc float[InputSize], output = stackalloc float[1];
        _state = _state.Length > 0 ? _state : new float[weights.Shape.StateSize];
        Encode(decades, row, input);
        LstmNetwork.Step(weights, input, _state, output, scratch.Judge(weights.Shape));
        return Line + output[0] / Math.Log(10);
    }

    /// <summary>One that has read the same.</summary>
    public LearntJudge Copy() => new(weights) { _state = [.. _state] };

    public void Save(BinaryWriter writer)
    {
        writer.Write(_state.Length > 0);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_state.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        _state = reader.ReadBoolean() ? new float[weights.Shape.StateSize] : [];
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_state.AsSpan()));
    }

    private static LstmWeights ReadPretrained()
    {
        using Stream file = typeof(LearntJudge).Assembly.GetManifestResourceStream("judge-weights.safetensors")
            ?? throw new InvalidOperationException("the assembly lacks judge-weights.safetensors");
        return TorchStateDict.Read(file);
    }
}
