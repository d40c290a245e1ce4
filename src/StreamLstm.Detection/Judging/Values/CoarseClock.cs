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
    private SeededRandom _random;
    private readonly long _activeFrom;
    private double _sum, _gapRatios;
    private int _count = -Offset;
    private Lesson _lesson;

    /// <param name="stream">The stream's name; part of the seed.</param>
    /// <param name="options">How streams are learnt and judged: its rows count as theirs.</param>
    /// <param name="model">The base weights in service.</param>
    public CoarseClock(string stream, DetectionOptions options, BaseModel model)
    {
        _detector = new ValueDetector(options.LearningRows, MemorySizes.Of(StreamForm.Lean), model, ownWeights: false);
        _activeFrom = options.WarmUpRows;
        _random = SeededRandom.Of(stream, options.Seed);
    }

    /// <summary>Whether its evidence counts: it knows the stream, and no gap has just come between.</summary>
    public bool IsActive => _detector.Rows >= _activeFrom && _detector.IsWarm;

    /// <summary>What it has to say for a decision.</summary>
    public ChannelBank Evidence => _detector.Evidence;

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

    /// <summary>Takes a value of the stream; every eighth makes a row, which is judged.</summary>
    /// <param name="value">The value.</param>
    /// <param name="gapRatio">Its gap to the one before it, in usual gaps.</param>
    /// <param name="scratch">Room to work in.</param>
    public void Judge(double value, double gapRatio, DetectionScratch scratch)
    {
        if (_count < 0)
        {
            return;
        }

        _sum += value;
        _gapRatios += gapRatio;

        if (_count == Values - 1)
        {
            _detector.Judge(_sum / Values, scratch);
        }
    }

    /// <summary>Remembers the value just judged, and with the eighth the row.</summary>
    /// <param name="lesson">What the value may teach: a row teaches what the worst of its values may.</param>
    /// <param name="usualSeconds">The usual gap between two values.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    /// <returns>False when its state had to be forgotten.</returns>
    public bool Remember(Lesson lesson, double usualSeconds, BaseModel model, DetectionScratch scratch)
    {
        if (lesson == Lesson.Frozen && _detector.Rows < _activeFrom)
        {
            Break(gapRatio: 1, isNewBeginning: true);
            return true;
        }

        _lesson = lesson > _lesson ? lesson : _lesson;

        if (++_count < Values)
        {
            _lesson = _count <= 0 ? Lesson.Normal : _lesson;
            return true;
        }

        (double mean, double meanGapRatio, lesson) = (_sum / Values, _gapRatios / Values, _lesson);
        Clear();
        _detector.Remember(mean, meanGapRatio, lesson, ref _random);

        if (lesson <= Lesson.Suspicious)
        {
            _detector.Learn(Values * usualSeconds, scratch, ref _random);
        }

        return _detector.Step(model, scratch);
    }

    /// <summary>After a swap.</summary>
    public void TakeNoticeOf(BaseModel model, DetectionScratch scratch) => _detector.TakeNoticeOf(model, scratch);

    /// <summary>Keeps rows of the stream from teaching, as far as they have not yet.</summary>
    /// <param name="firstRowsAgo">The first of them; 1 is the last row of the stream.</param>
    /// <param name="lastRowsAgo">The last of them.</param>
    public void Spare(long firstRowsAgo, long lastRowsAgo) =>
        _detector.Spare(_detector.Rows - RowsAgo(firstRowsAgo), _detector.Rows - RowsAgo(lastRowsAgo) + 1);

    /// <summary>What these rows of the stream showed is normal from now on.</summary>
    public void Accept(long firstRowsAgo, long lastRowsAgo) =>
        _detector.Accept(_detector.Rows - RowsAgo(firstRowsAgo), _detector.Rows - RowsAgo(lastRowsAgo) + 1, ref _random);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_random.State);
        writer.Write(_sum);
        writer.Write(_gapRatios);
        writer.Write(_count);
        writer.Write((byte)_lesson);
        _detector.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _random = new SeededRandom(reader.ReadUInt64());
        _sum = reader.ReadDouble();
        _gapRatios = reader.ReadDouble();
        _count = reader.ReadInt32();
        _lesson = (Lesson)reader.ReadByte();

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
        _lesson = Lesson.Normal;
    }

    /// <summary>The newest row that holds a value is the one that came next: rows of the stream that make none yet count as its last.</summary>
    private long RowsAgo(long streamRowsAgo) => Math.Max(1, (streamRowsAgo - Math.Max(0, _count) + Values - 1) / Values);
}
