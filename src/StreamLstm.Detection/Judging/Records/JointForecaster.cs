using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;
using StreamLstm.Model.Heads;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>Forecasts every column of a stream's next record, by one LSTM over all of them, and learns on line.</summary>
/// <remarks>
/// Where <see cref="VectorDetector"/> asks what went with such a row, this says before the row comes what its columns will
/// be: a head for each gives a distribution over 32 bins of its values or changes (<see cref="ColumnForecast"/>).
/// For every row: <see cref="Expect"/>, then <see cref="Take"/>; between the two it is decided whether the row may teach.
/// A missing value is told as 0, is no target, and changes no trust.
/// State: 26 KB a column, half of it weights and what Adam remembers of them, and 35 KB for the 24 cells.
/// </remarks>
internal sealed class JointForecaster
{
    /// <summary>Rows of a training window.</summary>
    public const int WindowRows = 16;

    /// <summary>Rows that windows can be cut from.</summary>
    private const int RingRows = 32 * WindowRows;

    private const int HiddenSize = 24;

    /// <summary>Targets of one training at most, but for one window: its row must not hold the others up.</summary>
    private const int TrainedTargets = 2048;
    private const int WindowsMax = 8;

    /// <summary>Rows before the network forecasts and is trained.</summary>
    private const int LearningRows = 64;

    /// <summary>Rows between two looks at a column as a whole.</summary>
    private const int RefreshEvery = 16;

    /// <summary>Rows from a window's end to a training: the row after it is a target too.</summary>
    private const int TrainingOffset = RefreshEvery / 2;

    private readonly int _columns;
    private readonly ForecastShape _shape;
    private readonly ColumnForecast[] _forecasts;
    private readonly float[] _inputs;          // (RingRows, D, 2)
    private readonly sbyte[] _bins;            // (RingRows, D): of what was to be forecast for the row
    private readonly bool[] _teaches;          // (RingRows): whether the row may be a target
    private readonly float[] _states;          // (RingRows / WindowRows, StateSize): before the first row of a window
    private readonly float[] _state;           // (StateSize)
    private readonly float[] _pending;         // (D, bins): the forecast for the row to come
    private ForecastWeights? _weights;
    private AdamOptimizer? _adam;
    private SeededRandom _random;
    private long _rows;
    private bool _isPending;
    private bool _follows;

    /// <param name="columns">D.</param>
    /// <param name="seed">Of what is sampled.</param>
    public JointForecaster(int columns, ulong seed)
    {
        _columns = columns;
        _shape = ShapeOf(columns);
        _random = new SeededRandom(seed);
        _forecasts = [.. Enumerable.Range(0, columns).Select(_ => new ColumnForecast())];
        _inputs = new float[RingRows * _shape.Network.InputSize];
        _bins = new sbyte[RingRows * columns];
        _teaches = new bool[RingRows];
        _states = new float[RingRows / WindowRows * _shape.Network.StateSize];
        _state = new float[_shape.Network.StateSize];
        _pending = new float[columns * QuantileBins.Count];
    }

    /// <summary>The network's sizes: a head for each column, which leans on the bin of its last row.</summary>
    public static ForecastShape ShapeOf(int columns) => new(
        new LstmShape(columns * ColumnForecast.InputSize, HiddenSize, 1, columns * QuantileBins.Count),
        columns,
        QuantileBins.Count,
        anchorCount: 1);

    /// <summary>Windows of one training.</summary>
    public static int WindowsOf(int columns) => Math.Clamp(TrainedTargets / (columns * WindowRows), 1, WindowsMax);

    /// <summary>Forgets h, c and what was forecast: what comes does not follow on what was.</summary>
    public void Reset()
    {
        _isPending = false;
        _follows = false;
        Array.Clear(_state);
        Array.ForEach(_forecasts, forecast => forecast.Reset());
    }

    /// <summary>Median and 98 % band that were forecast for a column of the row to come; null where nothing was.</summary>
    public (double Median, double Lower, double Upper)? Expect(int column) =>
        _isPending ? _forecasts[column].Expect(Pending(column)) : null;

    /// <summary>Takes a row, learns from it, and forecasts the next; false when a step or the state was undone because it was not finite.</summary>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <param name="learns">Whether it may be remembered, and the network be trained.</param>
    /// <param name="isAbnormal">Whether the network must not learn to forecast it, nor lose trust by it.</param>
    /// <param name="scratch">Room to work in.</param>
    public bool Take(ReadOnlySpan<double> values, bool learns, bool isAbnormal, JointScratch scratch)
    {
        int slot = (int)(_rows % RingRows);
        Span<float> input = InputOf(slot);
        Span<sbyte> bins = BinsOf(slot);

        for (int column = 0; column < _columns; column++)
        {
            if (_isPending && learns && !isAbnormal)
            {
                _forecasts[column].Trust(values[column], Pending(column));
            }

            bins[column] = _forecasts[column].Take(
                values[column], learns, input.Slice(column * ColumnForecast.InputSize, ColumnForecast.InputSize), ref _random);
        }

        _teaches[slot] = learns && !isAbnormal && _follows;
        _follows = true;

        if (_rows % WindowRows == 0)
        {
            _state.CopyTo(StateBefore(slot));
        }

        _rows++;
        bool finite = true;

        if (learns && _rows >= LearningRows)
        {
            if (_weights is null)
            {
                _weights = scratch.Start.Clone();
                _adam = new AdamOptimizer(_shape.ParameterCount, new AdamOptions());
            }

            Refresh(bins);
            finite = isAbnormal || !StreamLearner.IsDue(_rows - TrainingOffset) || Train(scratch);
        }

        _isPending = _weights is not null;

        if (_isPending)
        {
            finite &= Step(input, bins, scratch);
        }

        return finite;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_rows);
        writer.Write(_isPending);
        writer.Write(_follows);
        writer.Write(_random.State);
        Array.ForEach(_forecasts, forecast => forecast.Save(writer));
        writer.Write(MemoryMarshal.AsBytes(_inputs.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_bins.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_teaches.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_states.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_state.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_pending.AsSpan()));
        writer.Write(_weights is not null);

        if (_weights is not null)
        {
            writer.Write(_adam!.StepCount);
            writer.Write(MemoryMarshal.AsBytes(_weights.Parameters));
            writer.Write(MemoryMarshal.AsBytes(_adam.FirstMoment));
            writer.Write(MemoryMarshal.AsBytes(_adam.SecondMoment));
        }
    }

    public void Load(BinaryReader reader)
    {
        _rows = reader.ReadInt64();
        _isPending = reader.ReadBoolean();
        _follows = reader.ReadBoolean();
        _random = new SeededRandom(reader.ReadUInt64());
        Array.ForEach(_forecasts, forecast => forecast.Load(reader));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_inputs.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_bins.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_teaches.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_states.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_state.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_pending.AsSpan()));

        if (reader.ReadBoolean())
        {
            _weights = new ForecastWeights(_shape);
            _adam = new AdamOptimizer(_shape.ParameterCount, new AdamOptions()) { StepCount = reader.ReadInt64() };
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_weights.Parameters));
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.FirstMoment));
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.SecondMoment));
        }
    }

    /// <summary>Looks at a sixteenth of the columns as a whole: no row does it for all.</summary>
    /// <param name="bins">(D): the present row's.</param>
    private void Refresh(Span<sbyte> bins)
    {
        for (int column = (int)(_rows % RefreshEvery); column < _columns; column += RefreshEvery)
        {
            if (_forecasts[column].Refresh())
            {
                Begin(column);
                bins[column] = ColumnForecast.NoBin;
            }
        }
    }

    /// <summary>A head whose bins mean something new forecasts its marginal until it has learnt more.</summary>
    private void Begin(int column)
    {
        for (int slot = 0; slot < RingRows; slot++)
        {
            BinsOf(slot)[column] = ColumnForecast.NoBin;
        }

        Span<float> bias = _weights!.Network.OutputBias.Slice(column * QuantileBins.Count, QuantileBins.Count);
        TensorPrimitives.Log(_forecasts[column].Marginal, bias);
        _weights.OffsetKernel(column, 0).Clear();
        Span<float> output = _weights.Network.OutputWeights;

        for (int cell = 0; cell < HiddenSize; cell++)
        {
            output.Slice(cell * _shape.Network.OutputSize + column * QuantileBins.Count, QuantileBins.Count).Clear();
        }
    }

    /// <summary>One step on windows of the ring: the newest, a near one, the rest from anywhere.</summary>
    private bool Train(JointScratch scratch)
    {
        long last = (_rows - 1) / WindowRows;
        long first = Math.Max(0, _rows - RingRows + WindowRows - 1) / WindowRows;

        int taught = 0;

        for (int window = 0; window < scratch.Windows; window++)
        {
            // A single window is as often the newest as another.
            bool newest = scratch.Windows > 1 ? window == 0 : _random.Next(2) == 0;
            taught += Stage(window, newest ? last - 1 : first + _random.Next((int)(last - first)), scratch);
        }

        // Without a gradient Adam would go on along the last ones.
        if (taught == 0)
        {
            return true;
        }

        scratch.Trainer.Accumulate(
            _weights!, scratch.Inputs, scratch.Anchors, scratch.Targets, scratch.InitialStates, firstScoredStep: 0);
        return scratch.Trainer.Apply(_weights!, _adam!);
    }

    /// <summary>Lays a window of the ring out as one of the batch; gives how many of its rows have targets.</summary>
    private int Stage(int window, long index, JointScratch scratch)
    {
        int inputs = _shape.Network.InputSize, state = _shape.Network.StateSize;
        int start = (int)(index * WindowRows % RingRows);
        int taught = 0;
        StateBefore(start).CopyTo(scratch.InitialStates.AsSpan(window * state, state));
        _inputs.AsSpan(start * inputs, WindowRows * inputs).CopyTo(scratch.Inputs.AsSpan(window * WindowRows * inputs));

        for (int row = 0; row < WindowRows; row++)
        {
            int at = (window * WindowRows + row) * _columns;
            int next = (start + row + 1) % RingRows;
            Widen(BinsOf(start + row), scratch.Anchors.AsSpan(at, _columns));
            Span<int> targets = scratch.Targets.AsSpan(at, _columns);

            if (_teaches[next])
            {
                Widen(BinsOf(next), targets);
                taught++;
            }
            else
            {
                targets.Fill(ColumnForecast.NoBin);
            }
        }

        return taught;
    }

    private bool Step(ReadOnlySpan<float> input, ReadOnlySpan<sbyte> bins, JointScratch scratch)
    {
        Widen(bins, scratch.RowAnchors);
        ForecastHead.Step(_weights!, input, _state, scratch.RowAnchors, scratch.Logits, scratch.Network);

        for (int column = 0; column < _columns; column++)
        {
            ForecastHead.Softmax(scratch.Logits.AsSpan(column * QuantileBins.Count, QuantileBins.Count), Pending(column));
        }

        if (TensorPrimitives.IsFiniteAll<float>(_state))
        {
            return true;
        }

        _isPending = false;
        Array.Clear(_state);
        return false;
    }

    private static void Widen(ReadOnlySpan<sbyte> bins, Span<int> widened)
    {
        for (int column = 0; column < bins.Length; column++)
        {
            widened[column] = bins[column];
        }
    }

    private Span<float> InputOf(int slot) => _inputs.AsSpan(slot * _shape.Network.InputSize, _shape.Network.InputSize);

    private Span<sbyte> BinsOf(int slot) => _bins.AsSpan(slot * _columns, _columns);

    private Span<float> StateBefore(int slot) => _states.AsSpan(slot / WindowRows * _shape.Network.StateSize, _shape.Network.StateSize);

    private Span<float> Pending(int column) => _pending.AsSpan(column * QuantileBins.Count, QuantileBins.Count);
}
