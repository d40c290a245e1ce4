using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The same stream by a slower clock: means of eight values, in which what creeps or lasts stands out from the noise.</summary>
/// <remarks>
/// An eighth of the rows needs an eighth of the memory: the lean form, and the base weights as they are (with all of it,
/// and weights of its own, it finds the same).
/// </remarks>
internal sealed class CoarseClock
{
    /// <summary>Values to one of its rows.</summary>
    public const int Values = 8;

    /// <summary>Values left out at first: its rows then end on other rows of the stream than those that train, and no row does both.</summary>
    private const int Offset = Values / 2;

    /// <summary>A gap of more of its rows than this ends what was forecast.</summary>
    private const double BreakRows = 3;

    private readonly ValueDetector _detector;
    private readonly int _warmUpRows;
    private SeededRandom _random;
    private long _activeFrom;
    private double _sum, _gapRatios;
    private int _count = -Offset;
    private bool _teaches = true;

    /// <param name="stream">The stream's name; part of the seed.</param>
    /// <param name="options">How streams are learnt and judged: its rows count as theirs.</param>
    /// <param name="model">The base weights in service.</param>
    public CoarseClock(string stream, DetectionOptions options, BaseModel model)
    {
        _detector = new ValueDetector(options.LearningRows, MemorySizes.Of(StreamForm.Lean), model, ownWeights: false);
        _activeFrom = _warmUpRows = options.WarmUpRows;
        _random = SeededRandom.Of(stream, options.Seed);
    }

    /// <summary>Whether its evidence counts: it knows the stream, and no gap has just come between.</summary>
    public bool IsActive => _detector.Rows >= _activeFrom && _detector.IsWarm;

    /// <summary>What it has to say for a decision.</summary>
    public ChannelBank Evidence => _detector.Evidence;

    /// <summary>What it has to say of the last rows by themselves, in decades.</summary>
    public double Reported => _detector.Report.Fast;

    /// <summary>Time was lost before the value to come.</summary>
    /// <param name="gapRatio">The gap, in usual gaps of the stream.</param>
    /// <param name="isNewBeginning">Whether what was usual may be so no more.</param>
    public void Break(double gapRatio, bool isNewBeginning)
    {
        // A mean across the gap would be of no time at all.
        Clear();

        if (isNewBeginning || gapRatio > BreakRows * Values)
        {
            _detector.Reset();
        }
    }

    /// <summary>Takes a value of the stream; every eighth makes a row.</summary>
    /// <param name="value">The value.</param>
    /// <param name="gapRatio">Its gap to the one before it, in usual gaps.</param>
    /// <param name="learns">Whether anything may be learnt now; a row holding such a value is waited for during the warm-up.</param>
    /// <param name="teaches">Whether it counts as one of the stream's.</param>
    /// <param name="usualSeconds">The usual gap between two values.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    /// <returns>False when its state had to be forgotten.</returns>
    public bool Observe(
        double value, double gapRatio, bool learns, bool teaches, double usualSeconds, BaseModel model, DetectionScratch scratch)
    {
        if (!learns && _detector.Rows < _warmUpRows)
        {
            Break(gapRatio, isNewBeginning: true);
            return true;
        }

        if (_count < 0)
        {
            _count++;
            return true;
        }

        _sum += value;
        _gapRatios += gapRatio;
        _teaches &= teaches;

        if (++_count < Values)
        {
            return true;
        }

        double mean = _sum / Values, meanGapRatio = _gapRatios / Values;
        teaches = _teaches;
        Clear();
        _detector.Judge(mean, teaches, scratch, ref _random);
        _detector.Remember(mean, meanGapRatio, teaches, isAbnormal: !teaches, ref _random);

        if (teaches)
        {
            _detector.Learn(Values * usualSeconds, scratch, ref _random);
        }

        return _detector.Step(model, scratch);
    }

    /// <summary>A new level was accepted that it will find unusual for longer than the stream itself: it has nothing to say of the next rows of the stream.</summary>
    public void Rest(int streamRows) => _activeFrom = Math.Max(_activeFrom, _detector.Rows + streamRows / Values);

    /// <summary>After a swap.</summary>
    public void TakeNoticeOf(BaseModel model, DetectionScratch scratch) => _detector.TakeNoticeOf(model, scratch);

    /// <summary>Keeps rows of the stream from teaching what is usual, as far as they have not yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row of the stream.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Exclude(long firstRowsAgo, long lastRowsAgo) => _detector.Exclude(RowsAgo(firstRowsAgo), RowsAgo(lastRowsAgo));

    public void Save(BinaryWriter writer)
    {
        writer.Write(_random.State);
        writer.Write(_activeFrom);
        writer.Write(_sum);
        writer.Write(_gapRatios);
        writer.Write(_count);
        writer.Write(_teaches);
        _detector.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        _activeFrom = reader.ReadInt64();
        _sum = reader.ReadDouble();
        _gapRatios = reader.ReadDouble();
        _count = reader.ReadInt32();
        _teaches = reader.ReadBoolean();

        if (_count is < -Offset or >= Values)
        {
            throw new InvalidDataException($"coarse clock: {_count} values of a row, expected {-Offset} to {Values - 1}");
        }

        _detector.Load(reader);
    }

    private void Clear()
    {
        _sum = _gapRatios = 0;
        _count = 0;
        _teaches = true;
    }

    /// <summary>The newest row that holds a value is the one that came next: rows of the stream that make none yet count as its last.</summary>
    private long RowsAgo(long streamRowsAgo) => Math.Max(1, (streamRowsAgo - Math.Max(0, _count) + Values - 1) / Values);
}
