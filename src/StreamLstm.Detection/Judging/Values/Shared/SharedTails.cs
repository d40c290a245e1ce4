using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What is usual of each measure of a stream in clean rows, in a byte a block: the maxima of its last blocks of rows.</summary>
/// <remarks>
/// What <see cref="CleanTail"/> is to a stream that may remember more, with fewer and longer blocks: when all places are taken, two
/// neighbours become one and the blocks after them are twice as long, up to <see cref="RowsMost"/> rows. A byte holds a logarithm in
/// steps of a twentieth, finer than a tail's mean excess. A suspicious row, or an incident's first, moves what is usual by half at most.
/// </remarks>
internal struct SharedTails
{
    /// <summary>Blocks that are kept.</summary>
    public const int Blocks = 16;

    /// <summary>Blocks of a measure before anything is said of it.</summary>
    private const int BlocksMin = 6;

    private const int RowsFirst = CleanTail.BlockRows;
    private const int RowsMost = 256;

    /// <summary>The highest blocks a tail is fitted to, and those of them left out: one that was wild is outvoted.</summary>
    private const int Highest = 5;
    private const int LeftOut = 1;

    /// <summary>Steps by which an incident's first row may move what is usual.</summary>
    private const int StepsOfIncident = 10;

    /// <summary>Decades by which blocks of so many times the shortest are longer, by the power of two; and decades of so many blocks that the highest lie in.</summary>
    private static readonly double[] LongerBy = [.. Enumerable.Range(0, 1 + (int)Math.Log2(RowsMost / RowsFirst)).Select(doublings => Math.Log10(1 << doublings))];
    private static readonly double[] UsualDecades = [.. Enumerable.Range(0, Blocks + 1).Select(blocks => Math.Log10((blocks + 1.0) / Highest))];

    private Maxima _maxima;      // (measures, Blocks)
    private Codes _current;      // of the block under way
    private Codes _usual;        // the level that the last of the highest came to
    private ushort _rows;
    private ushort _blockRows;
    private byte _count;
    private byte _next;

    [InlineArray(SharedIndicators.Measures * Blocks)]
    private struct Maxima
    {
        private byte _first;
    }

    [InlineArray(SharedIndicators.Measures)]
    private struct Codes
    {
        private byte _first;
    }

    /// <summary>Whether enough clean rows are known.</summary>
    public readonly bool IsKnown => _count >= BlocksMin;

    private readonly int BlockRows => Math.Max(RowsFirst, (int)_blockRows);

    /// <summary>Measures as bytes: (measures); 0 where one has nothing to say.</summary>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> codes)
    {
        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            float value = values[measure];
            codes[measure] = float.IsNaN(value) ? (byte)0 : (byte)CodeOf(measure, value);
        }
    }

    /// <summary>Decades of the shortest blocks between two that come to a row's measures; 0 while too little is known.</summary>
    /// <param name="values">(measures).</param>
    /// <param name="codes">The same as bytes: (measures).</param>
    /// <param name="resolution">The smallest difference between two values, in units of the stream.</param>
    /// <param name="decades">(measures).</param>
    public readonly void Score(ReadOnlySpan<float> values, ReadOnlySpan<byte> codes, double resolution, Span<double> decades)
    {
        double longer = Longer, usualDecades = longer + UsualDecades[_count];

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            (byte code, byte usual) = (codes[measure], _usual[measure]);
            double value = values[measure];
            decades[measure] = code == 0 || usual == 0 || value <= 0 ? 0
                : code < usual ? usualDecades * value / ValueOf(measure, usual)
                : Fit(measure, SharedIndicators.DifferenceOf(measure, resolution)).Score(value) is > 0 and var rare ? rare + longer
                : 0;
        }
    }

    /// <summary>Decades by which a level is rarer than one that a person has called ordinary.</summary>
    /// <param name="measure">Which measure.</param>
    /// <param name="value">Its level.</param>
    /// <param name="ordinary">The other.</param>
    /// <param name="resolution">The smallest difference between two values, in units of the stream.</param>
    public readonly double Excess(int measure, double value, double ordinary, double resolution) =>
        Fit(measure, SharedIndicators.DifferenceOf(measure, resolution)).Excess(value, ordinary);

    /// <summary>What is usual of a measure at most.</summary>
    public readonly double Usual(int measure) => _usual[measure] is > 0 and var code ? ValueOf(measure, code) : 0;

    /// <summary>Takes a row.</summary>
    /// <param name="codes">(measures); 0 where one has nothing to say.</param>
    /// <param name="isClean">Whether it is neither suspicious nor part of an incident.</param>
    public void Add(ReadOnlySpan<byte> codes, bool isClean)
    {
        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            int code = codes[measure];

            if (!isClean && _usual[measure] is > 0 and var usual)
            {
                code = Math.Min(code, usual + StepsOfIncident);
            }

            _current[measure] = (byte)Math.Max(code, _current[measure]);
        }
    }

    /// <summary>Counts a clean row; a block that is full enters.</summary>
    public void Count()
    {
        if (++_rows < BlockRows)
        {
            return;
        }

        _rows = 0;

        if (_count == Blocks && BlockRows < RowsMost)
        {
            Halve();
        }

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            _maxima[measure * Blocks + _next] = _current[measure];
        }

        _next = (byte)((_next + 1) % Blocks);
        _count = (byte)Math.Min(_count + 1, Blocks);
        ((Span<byte>)_current).Clear();
        FindUsual();
    }

    /// <summary>The unit of the stream's own differences is another by so much: what was measured in it moves.</summary>
    public void Rescale(double ratio)
    {
        int steps = (int)Math.Round(LogSteps.PerUnit * Math.Log(ratio));

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            if (SharedIndicators.UnitOf(measure) == MeasureUnit.Values)
            {
                Move(((Span<byte>)_maxima).Slice(measure * Blocks, Blocks), steps);
                Move(((Span<byte>)_current).Slice(measure, 1), steps);
            }
        }

        FindUsual();

        static void Move(Span<byte> codes, int steps)
        {
            foreach (ref byte code in codes)
            {
                code = code == 0 ? code : (byte)Math.Clamp(code - steps, 1, byte.MaxValue);
            }
        }
    }

    /// <summary>Forgets what is usual of some measures.</summary>
    public void Forget(int first, int count)
    {
        ((Span<byte>)_maxima).Slice(first * Blocks, count * Blocks).Clear();
        ((Span<byte>)_current).Slice(first, count).Clear();
        FindUsual();
    }

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_rows);
        writer.Write(_blockRows);
        writer.Write(_count);
        writer.Write(_next);
        writer.Write((ReadOnlySpan<byte>)_current);
        ReadOnlySpan<byte> maxima = _maxima;

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            writer.Write(maxima.Slice(measure * Blocks, _count));
        }
    }

    public void Load(BinaryReader reader)
    {
        (_rows, _blockRows, _count, _next) = (reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadByte(), reader.ReadByte());

        if (_count > Blocks || _next >= Blocks || _blockRows > RowsMost)
        {
            throw new InvalidDataException($"tails: {_count} blocks of {_blockRows} rows, the next at {_next}, expected at most {Blocks} of {RowsMost}");
        }

        reader.BaseStream.ReadExactly(_current);
        Span<byte> maxima = _maxima;

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            reader.BaseStream.ReadExactly(maxima.Slice(measure * Blocks, _count));
        }

        FindUsual();
    }

    /// <summary>Decades by which the present blocks are longer than the shortest.</summary>
    private readonly double Longer => LongerBy[BitOperations.Log2((uint)(BlockRows / RowsFirst))];

    private static int CodeOf(int measure, double value) =>
        SharedIndicators.UnitOf(measure) == MeasureUnit.Scores
            ? (int)Math.Clamp(1 + Math.Round(LogSteps.PerUnit * value), 1, byte.MaxValue)
            : LogSteps.Of(Math.Max(value, 1e-30) / SharedIndicators.LeastOf(measure));

    private static double ValueOf(int measure, int code) =>
        SharedIndicators.UnitOf(measure) == MeasureUnit.Scores ? (code - 1) / LogSteps.PerUnit : SharedIndicators.LeastOf(measure) * LogSteps.Ratio(code);

    private readonly ExceedanceTail Fit(int measure, double least)
    {
        Span<byte> sorted = stackalloc byte[Blocks];
        Sort(((ReadOnlySpan<byte>)_maxima).Slice(measure * Blocks, Blocks), sorted);
        int known = Blocks - sorted.Count((byte)0);
        Span<double> highest = stackalloc double[Highest];

        for (int k = 0; k < Highest; k++)
        {
            highest[k] = ValueOf(measure, sorted[^(1 + k)]);
        }

        return new ExceedanceTail(
            highest, LeftOut, known, SharedIndicators.UnitOf(measure) == MeasureUnit.Scores ? TailScale.Difference : TailScale.Ratio, least);
    }

    /// <summary>Puts each block where those below it, and as high ones before it, end.</summary>
    private static void Sort(ReadOnlySpan<byte> blocks, Span<byte> sorted)
    {
        var all = Vector128.Create(blocks);

        for (int block = 0; block < Blocks; block++)
        {
            var one = Vector128.Create(blocks[block]);
            uint below = Vector128.LessThan(all, one).ExtractMostSignificantBits(), same = Vector128.Equals(all, one).ExtractMostSignificantBits();
            sorted[BitOperations.PopCount(below | same & ((1u << block) - 1))] = blocks[block];
        }
    }

    private void Halve()
    {
        Span<byte> maxima = _maxima;

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            Span<byte> blocks = maxima.Slice(measure * Blocks, Blocks);

            for (int pair = 0; pair < Blocks / 2; pair++)
            {
                // The oldest is the next to be overwritten.
                blocks[pair] = Math.Max(blocks[2 * pair], blocks[2 * pair + 1]);
            }

            blocks[(Blocks / 2)..].Clear();
        }

        (_count, _next, _blockRows) = (Blocks / 2, Blocks / 2, (ushort)(2 * BlockRows));
    }

    private void FindUsual()
    {
        Span<byte> sorted = stackalloc byte[Blocks];

        for (int measure = 0; measure < SharedIndicators.Measures; measure++)
        {
            Sort(((ReadOnlySpan<byte>)_maxima).Slice(measure * Blocks, Blocks), sorted);
            _usual[measure] = sorted[Blocks - BlocksMin] == 0 ? (byte)0 : sorted[Blocks - Highest];
        }
    }
}
