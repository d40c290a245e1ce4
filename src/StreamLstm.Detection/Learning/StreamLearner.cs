using System.Runtime.InteropServices;
using StreamLstm.Model;

namespace StreamLstm.Detection.Learning;

/// <summary>A stream's own weights and how they follow the stream: one small training every 16 rows, by count.</summary>
/// <remarks>
/// They are the base's, not a copy of them, until the first training: of a stream that never learns there is nothing to keep.
/// </remarks>
internal sealed class StreamLearner
{
    /// <summary>Rows between two trainings of a young stream, and what their number is always a multiple of.</summary>
    public const int Every = 16;

    /// <summary>Ages at which a stream has seen enough to train half as often as before.</summary>
    private static readonly long[] Settled = [256, 1024, 4096];

    /// <summary>Rows of a window.</summary>
    private const int WindowRows = 48;

    /// <summary>Windows of one training: the newest, a near one, the rest from anywhere in the ring.</summary>
    private const int Windows = DetectionScratch.Windows;

    /// <summary>Windows that weights are held against others on.</summary>
    private const int RecentWindows = 4;

    /// <summary>Until this row every training has two steps.</summary>
    private const int EagerRows = 600;

    private readonly int _checkpointCount;
    private PackedMoments? _moments;      // from the first training on
    private sbyte[] _checkpoints = [];    // (checkpoints, StateSize), as many as there were yet

    /// <param name="start">Weights to start from.</param>
    /// <param name="ringRows">Rows that windows can be cut from.</param>
    public StreamLearner(ForecastWeights start, int ringRows)
    {
        Weights = start;
        _checkpointCount = ringRows / WindowRows + 1;
    }

    public ForecastWeights Weights { get; private set; }

    /// <summary>Whether the weights have become the stream's own.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(_moments))]
    public bool HasLearnt => _moments is not null;

    /// <summary>Keeps the state (StateSize) the network had before it was given <paramref name="row"/>, where a window can start.</summary>
    public void Checkpoint(long row, ReadOnlySpan<float> state)
    {
        if (row % WindowRows == 0)
        {
            PackedState.Pack(state, StateBefore(row));
        }
    }

    /// <summary>Whether a stream of this many rows is to be trained: what is well known moves slowly, and most of the cost is here.</summary>
    public static bool IsDue(long rows)
    {
        long every = Every;

        foreach (long age in Settled)
        {
            every = rows > age ? 2 * every : every;
        }

        return rows % every == 0;
    }

    /// <summary>Trains on the ring's windows; false when a step was undone because it was not finite.</summary>
    public bool Train(ValueRing ring, ForecastInput encoder, DetectionScratch scratch, ref SeededRandom random)
    {
        long last = ring.Count / WindowRows;
        long first = (ring.First + WindowRows - 1) / WindowRows;

        if (last - first < 1)
        {
            return true;
        }

        if (!HasLearnt)
        {
            Weights = Weights.Clone();
            _moments = new PackedMoments(ForecastInput.Shape.ParameterCount);
        }

        _moments.Unpack(scratch.Adam);
        bool finite = true;

        for (int step = ring.Count < EagerRows ? 2 : 1; step > 0; step--)
        {
            for (int window = 0; window < Windows; window++)
            {
                long index = window switch
                {
                    0 => last - 1,
                    1 => Math.Max(first, last - 2 - random.Next(4)),
                    _ => first + random.Next((int)(last - first)),
                };

                Stage(window, index * WindowRows, encoder, scratch);
            }

            scratch.Trainer.Accumulate(
                Weights,
                scratch.Inputs.AsSpan(0, Windows * WindowRows * ForecastInput.Size),
                scratch.Anchors.AsSpan(0, Windows * WindowRows * ForecastInput.Anchors),
                scratch.Targets.AsSpan(0, Windows * WindowRows * ForecastInput.Horizons.Length),
                scratch.InitialStates,
                firstScoredStep: 0);
            finite &= scratch.Trainer.Apply(Weights, scratch.Adam);
        }

        _moments.Pack(scratch.Adam);

        return finite;
    }

    /// <summary>Whether weights forecast the newest windows of the ring no worse than others; false while there are none.</summary>
    public static bool IsBetter(ForecastWeights weights, ForecastWeights others, ValueRing ring, ForecastInput encoder, DetectionScratch scratch)
    {
        // Whole training windows from zero, so that weights that did not make the checkpoints are judged alike.
        int windows = (int)Math.Min(RecentWindows, (ring.Count - ring.First) / TrainingWindow.Rows), rows = windows * TrainingWindow.Rows;

        Encode(ring.Count - rows, 0, rows, encoder, scratch);
        return windows > 0 && Loss(weights) <= Loss(others);

        double Loss(ForecastWeights of) => scratch.Trainer.Loss(
            of,
            scratch.Inputs.AsSpan(0, rows * ForecastInput.Size),
            scratch.Anchors.AsSpan(0, rows * ForecastInput.Anchors),
            scratch.Targets.AsSpan(0, rows * ForecastInput.Horizons.Length),
            scratch.ZeroStates.AsSpan(0, windows * ForecastInput.Shape.Network.StateSize),
            TrainingWindow.WarmUpRows);
    }

    /// <summary>A window of a stream for the retrainer, starting at <paramref name="start"/>.</summary>
    public static TrainingWindow Cut(string stream, long start, ValueRing ring, ForecastInput encoder, ValueTokens tokens)
    {
        var window = new TrainingWindow(
            new float[TrainingWindow.Rows * ForecastInput.Size],
            new int[TrainingWindow.Rows * ForecastInput.Anchors],
            new int[TrainingWindow.Rows * ForecastInput.Horizons.Length])
        {
            Stream = stream,
            From = Time(start),
            To = Time(start + TrainingWindow.Rows - 1),
        };

        encoder.Encode(start, window.Inputs, window.Anchors, tokens);
        encoder.EncodeTargets(start, window.Targets, tokens);
        return window;

        DateTimeOffset Time(long row) => new((long)(ring.Seconds(row) * TimeSpan.TicksPerSecond), TimeSpan.Zero);
    }

    /// <summary>The gates over the rows since the last checkpoint but one, 48 to 95 of them; null while there are fewer.</summary>
    public GateTrace? Gates(ValueRing ring, ForecastInput encoder)
    {
        long start = (ring.Count / WindowRows - 1) * WindowRows;

        if (start < ring.First)
        {
            return null;
        }

        var inputs = new float[(ring.Count - start) * ForecastInput.Size];
        encoder.Encode(start, inputs, new int[(ring.Count - start) * ForecastInput.Anchors], new ValueTokens());

        Span<float> state = stackalloc float[ForecastInput.Shape.Network.StateSize];
        PackedState.Unpack(StateBefore(start), state);
        return GateTrace.Of(Weights.Network, inputs, state);
    }

    /// <summary>Starts again from other weights; what Adam remembered belonged to the old ones.</summary>
    public void Adopt(ForecastWeights weights)
    {
        Weights = weights;
        _moments = null;
        Array.Clear(_checkpoints);
    }

    /// <summary>Writes what is the stream's own; the base's weights are in the snapshot once.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(_checkpoints.Length);
        writer.Write(MemoryMarshal.AsBytes(_checkpoints.AsSpan()));
        writer.Write(HasLearnt);

        if (HasLearnt)
        {
            writer.Write(MemoryMarshal.AsBytes(Weights.Parameters));
            _moments.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into one that started from the base weights in service.</summary>
    /// <exception cref="InvalidDataException">More checkpoints than there can be.</exception>
    public void Load(BinaryReader reader)
    {
        int length = reader.ReadInt32();
        int most = _checkpointCount * ForecastInput.Shape.Network.StateSize;
        _checkpoints = length >= 0 && length <= most ? new sbyte[length] : throw new InvalidDataException($"{length} numbers of checkpoints, expected 0 to {most}");
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_checkpoints.AsSpan()));

        if (reader.ReadBoolean())
        {
            Weights = Weights.Clone();
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(Weights.Parameters));
            _moments = new PackedMoments(ForecastInput.Shape.ParameterCount);
            _moments.Load(reader);
        }
    }

    /// <summary>Lays a window of the ring out as one of the batch.</summary>
    private void Stage(int window, long start, ForecastInput encoder, DetectionScratch scratch)
    {
        int size = ForecastInput.Shape.Network.StateSize;
        PackedState.Unpack(StateBefore(start), scratch.InitialStates.AsSpan(window * size, size));

        Encode(start, window * WindowRows, WindowRows, encoder, scratch);
    }

    /// <summary>Lays rows of the ring out among a batch's.</summary>
    private static void Encode(long first, int at, int rows, ForecastInput encoder, DetectionScratch scratch)
    {
        encoder.Encode(
            first,
            scratch.Inputs.AsSpan(at * ForecastInput.Size, rows * ForecastInput.Size),
            scratch.Anchors.AsSpan(at * ForecastInput.Anchors, rows * ForecastInput.Anchors),
            scratch.Tokens);
        encoder.EncodeTargets(first, scratch.Targets.AsSpan(at * ForecastInput.Horizons.Length, rows * ForecastInput.Horizons.Length), scratch.Tokens);
    }

    private Span<sbyte> StateBefore(long row)
    {
        int size = ForecastInput.Shape.Network.StateSize;
        int index = (int)(row / WindowRows % _checkpointCount);

        if ((index + 1) * size > _checkpoints.Length)
        {
            Array.Resize(ref _checkpoints, Math.Min(_checkpointCount, Math.Max(4, 2 * (index + 1))) * size);
        }

        return _checkpoints.AsSpan(index * size, size);
    }
}
