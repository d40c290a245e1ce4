using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The few numbers that some streams go between, as a lift's floors or a gearbox's gears, and how long they stay at the same one.</summary>
/// <remarks>
/// It may get stuck at any, so a stay is held against the longest ones at all of them, one of each <see cref="BlockRows"/> rows: where short stays in
/// passing are many, the last few dozen of all would reach back an hour.
/// </remarks>
internal sealed class Places
{
    private const int Least = 3;
    private const int Most = 32;

    /// <summary>Share of the rows that one of them may hold: what mostly stands at zero has no places.</summary>
    private const double ShareMax = 0.5;

    /// <summary>Rows of which the longest stay counts.</summary>
    private const int BlockRows = 64;

    private readonly BoundedSample _longest = new();
    private double _place = double.NaN;   // the last value; NaN where it was no clean one
    private long _since;                  // 0 while that is not known
    private long _longestOfBlock;         // of the stays that ended in it

    /// <summary>Whether the stream has places.</summary>
    public bool AreKnown { get; private set; }

    /// <summary>Decades by which the present stay is longer than any.</summary>
    public double Long { get; private set; }

    /// <summary>Rows the present stay has taken, and the most so far.</summary>
    public (long Rows, double Longest) Present { get; private set; }

    /// <summary>Looks at which numbers the stream takes. How long it stayed at them is read off the rows it remembers.</summary>
    /// <param name="history">The stream's values.</param>
    /// <param name="ring">Its last rows.</param>
    /// <param name="states">States it has: places that are no more than those say no more.</param>
    public void Refresh(SortedReservoir history, ValueRing ring, int states)
    {
        bool areKnown = CountOf(history.Sorted) > states;

        if (areKnown && !AreKnown)
        {
            (_place, _since, _longestOfBlock) = (double.NaN, 0, 0);
            _longest.Clear();

            for (long row = ring.First; row < ring.Count; row++)
            {
                Follow(row, ring.IsAbnormal(row) ? double.NaN : ring[row], isSpared: false);
            }
        }

        AreKnown = areKnown;
    }

    /// <summary>Takes a value; where it ends a stay, its length teaches unless <paramref name="isSpared"/>.</summary>
    public void Observe(long row, double value, bool isSpared)
    {
        (Long, Present) = (0, default);

        if (!AreKnown)
        {
            return;
        }

        Follow(row, value, isSpared);

        if (_since > 0)
        {
            Long = _longest.Above(Math.Log(row - _since + 1));
            Present = (row - _since + 1, Math.Exp(_longest.Greatest));
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(AreKnown);
        writer.Write(_place);
        writer.Write(_since);
        writer.Write(_longestOfBlock);
        _longest.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        AreKnown = reader.ReadBoolean();
        _place = reader.ReadDouble();
        _since = reader.ReadInt64();
        _longestOfBlock = reader.ReadInt64();
        _longest.Load(reader);
    }

    private void Follow(long row, double value, bool isSpared)
    {
        if (value != _place)
        {
            // How long the first one had lasted is not known, nor one that an incident parts.
            _longestOfBlock = _since > 0 && !isSpared ? Math.Max(_longestOfBlock, row - _since) : _longestOfBlock;
            (_place, _since) = (value, double.IsNaN(_place) || double.IsNaN(value) ? 0 : row);
        }

        if (row % BlockRows == BlockRows - 1 && _longestOfBlock > 0)
        {
            _longest.Add(Math.Log(_longestOfBlock));
            _longestOfBlock = 0;
        }
    }

    /// <summary>How many different numbers these are; 0 where they are not as many as places are, or one of them is most.</summary>
    private static int CountOf(ReadOnlySpan<double> sorted)
    {
        int count = 1;

        for (int i = 1, start = 0; i < sorted.Length; i++)
        {
            if (sorted[i] != sorted[start])
            {
                (count, start) = (count + 1, i);
            }

            if (count > Most || i - start + 1 > ShareMax * sorted.Length)
            {
                return 0;
            }
        }

        return count >= Least ? count : 0;
    }
}
