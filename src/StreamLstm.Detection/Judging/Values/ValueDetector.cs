using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>Forecasts a stream's values, says how unusual each one is, and learns from it. What to make of that is decided elsewhere.</summary>
/// <remarks>
/// For every value, in this order: <see cref="Judge"/>, <see cref="Remember"/>, <see cref="Learn"/>, <see cref="Step"/>.
/// Between the first two the row is decided on, as what is decided says whether it may teach.
/// </remarks>
internal sealed class ValueDetector
{
    /// <summary>Rows between two refreshes of bins and scale.</summary>
    private const int RefreshEvery = 16;

    /// <summary>Rows between a refresh and a look for seasons: no row does both.</summary>
    private const int SeasonOffset = RefreshEvery / 2;

    /// <summary>Rows before there are bins.</summary>
    private const int FirstBins = 32;

    private readonly int _learningRows;
    private readonly SortedReservoir _history;
    private readonly SortedReservoir _differences = new(capacity: 256, horizon: 2000);
    private readonly Seasons _seasons;
    private readonly ValueRing _ring;
    private readonly QuantileBins _bins = new();
    private readonly ForecastInput _encoder;
    private readonly Forecaster _forecaster = new();
    private readonly ChannelBank _channels;
    private readonly StreamLearner? _learner;
    private long _moves;

    /// <param name="learningRows">Rows before a value is judged.</param>
    /// <param name="sizes">What may be remembered.</param>
    /// <param name="model">The base weights to start from.</param>
    /// <param name="ownWeights">Whether they are adapted to the stream.</param>
    public ValueDetector(int learningRows, MemorySizes sizes, BaseModel model, bool ownWeights)
    {
        _learningRows = learningRows;
        _history = new SortedReservoir(sizes.HistoryValues, horizon: 0);
        _seasons = new Seasons(sizes.SeasonDifferences);
        _ring = new ValueRing(sizes.RingRows);
        _channels = new ChannelBank(sizes);
        _encoder = new ForecastInput(_ring, _history, _bins);
        _learner = ownWeights ? new StreamLearner(model.Weights, sizes.RingRows) : null;
    }

    /// <summary>Values remembered so far: the row of the one that comes next.</summary>
    public long Rows => _ring.Count;

    /// <summary>The last value.</summary>
    public double LastValue { get; private set; }

    /// <summary>Whether the stream has weights of its own.</summary>
    public bool HasOwnWeights => _learner is not null;

    /// <summary>Whether the forecasts of all horizons for the present row were made without a break.</summary>
    public bool IsWarm => _forecaster.IsWarm;

    /// <summary>Rows until that is so.</summary>
    public long RowsUntilWarm => Math.Max(0, ForecastInput.HorizonMax - _forecaster.Steps);

    /// <summary>Whether the present value was judged; else the detector is too young.</summary>
    public bool IsJudged { get; private set; }

    /// <summary>Median and 98 % band that were forecast for the present value; null where there was no forecast.</summary>
    public (double Median, double Lower, double Upper)? Expected { get; private set; }

    /// <summary>What is decided on.</summary>
    public ChannelBank Evidence => _channels;

    /// <summary>The lowest and highest value so far; both 0 before the first.</summary>
    public (double Low, double High) Seen => _history.Count > 0 ? (_history.Min, _history.Max) : default;

    /// <summary>What was forecast for the rows to come was forecast for another time: it is forgotten.</summary>
    public void Reset() => _forecaster.Reset();

    /// <summary>A value goes by that is neither judged nor remembered.</summary>
    public void Pass(double value)
    {
        LastValue = value;
        _forecaster.Reset();
    }

    /// <summary>After a swap: weights of its own give way where the new base is better on the stream's last windows.</summary>
    public void TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
        if (_learner is not null)
        {
            double own = StreamLearner.RecentLoss(_learner.Weights, _ring, _encoder, scratch);
            double other = StreamLearner.RecentLoss(model.Weights, _ring, _encoder, scratch);

            // Not a number means too young to tell: the trained base is the better start.
            if (own <= other)
            {
                return;
            }

            _learner.Adopt(model.Weights);
        }

        // h and c mean nothing under other weights.
        if (_ring.Count > FirstBins)
        {
            _forecaster.ReWarm(model.Weights, _ring, _encoder, scratch);
        }
    }

    /// <summary>Holds a value against the forecasts made for it and against all before it.</summary>
    /// <param name="value">The value of the row to come.</param>
    /// <param name="scratch">Room to work in.</param>
    public void Judge(double value, DetectionScratch scratch)
    {
        long row = _ring.Count;
        IsJudged = row >= _learningRows;
        Expected = null;

        if (!IsJudged)
        {
            return;
        }

        Expected = _forecaster.Expect(row, _bins, _history, scratch);
        _forecaster.Judge(row, value, _bins, _history, _encoder.Scale, _moves, scratch);
        _channels.Judge(
            value, LastValue, _forecaster.Tails, _seasons.TailOf(row, value, _ring, _moves),
            QuantileBins.MarginalTailOf(value, _history, _encoder.Scale, _moves), _history, _encoder.Scale, _encoder.DifferenceScale, _moves);
    }

    /// <summary>Takes the judged value into every memory, as far as it may teach.</summary>
    /// <param name="value">The value.</param>
    /// <param name="gapRatio">Its gap to the one before it, in usual gaps.</param>
    /// <param name="lesson">What it may teach.</param>
    /// <param name="random">For samples.</param>
    public void Remember(double value, double gapRatio, Lesson lesson, ref SeededRandom random)
    {
        long row = _ring.Count;
        bool teaches = lesson == Lesson.Normal;

        if (IsJudged)
        {
            _channels.Remember(row, lesson);
        }

        if (teaches)
        {
            _forecaster.Trust();
            _seasons.Remember(row, value, _ring, ref random);
            _history.Add(value, ref random);

            if (row > 0)
            {
                _differences.Add(Math.Abs(value - LastValue), ref random);
            }
        }

        _moves += row > 0 && !value.Equals(LastValue) ? 1 : 0;
        _ring.Append(value, gapRatio);
        LastValue = value;

        if (!teaches)
        {
            _ring.Mark(row, row + 1, abnormal: true);
        }
    }

    /// <summary>Refreshes, by count, what is known of the stream as a whole; false when a training step was undone because it was not finite.</summary>
    /// <param name="usualSeconds">The usual gap between two values.</param>
    /// <param name="scratch">Room to work in.</param>
    /// <param name="random">For samples.</param>
    public bool Learn(double usualSeconds, DetectionScratch scratch, ref SeededRandom random)
    {
        long rows = _ring.Count;

        if (Seasons.IsDue(rows - SeasonOffset, _ring.RowsMax))
        {
            if (_seasons.Find(_ring, _encoder.Scale, usualSeconds, scratch))
            {
                _channels.ForgetSeason();
            }

            _encoder.ShortSeason = _seasons.Short;
            _encoder.LongSeason = _seasons.Long;
        }

        if (rows < FirstBins || rows % RefreshEvery != 0)
        {
            return true;
        }

        _bins.Refresh(_history);
        _encoder.Scale = ValueScale.Of(_history);
        double usualDifference = _differences.Quantile(0.8);
        _encoder.DifferenceScale = usualDifference > 0 ? usualDifference : 0.1 * _encoder.Scale.Scale;
        return _learner is null || rows < _learningRows || !StreamLearner.IsDue(rows)
            || _learner.Train(_ring, _encoder, scratch, ref random);
    }

    /// <summary>The last rows for the retrainer, where a window of them has just become whole and nothing in it is abnormal.</summary>
    public TrainingWindow? CleanWindow()
    {
        long end = _ring.Count, first = end - TrainingWindow.Rows;

        if (end % TrainingWindow.Rows != 0 || end < 2 * TrainingWindow.Rows)
        {
            return null;
        }

        for (long row = first; row < end; row++)
        {
            if (_ring.IsAbnormal(row))
            {
                return null;
            }
        }

        return StreamLearner.Cut(first, _ring, _encoder);
    }

    /// <summary>Steps the network over the value just remembered: h, c and the forecasts of the rows to come; false when the state had to be forgotten.</summary>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    public bool Step(BaseModel model, DetectionScratch scratch)
    {
        long row = _ring.Count - 1;

        if (row < FirstBins)
        {
            return true;
        }

        _learner?.Checkpoint(row, _forecaster.State);
        _forecaster.Step(_learner?.Weights ?? model.Weights, row, _encoder, scratch);

        if (_forecaster.IsFinite())
        {
            return true;
        }

        _forecaster.Reset();
        return false;
    }

    /// <summary>Keeps rows from teaching, as far as they have not yet.</summary>
    public void Spare(long firstRow, long endRow)
    {
        _ring.Mark(firstRow, endRow, abnormal: true);
        _channels.Spare(firstRow, endRow, _ring.Count);
    }

    /// <summary>What these rows showed is normal from now on.</summary>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="endRow">The one behind the last.</param>
    /// <param name="random">For samples.</param>
    public void Accept(long firstRow, long endRow, ref SeededRandom random)
    {
        for (long row = Math.Max(firstRow, _ring.First); row < Math.Min(endRow, _ring.Count); row++)
        {
            if (_ring.IsAbnormal(row))
            {
                _history.Add(_ring[row], ref random);

                if (row > firstRow)
                {
                    _differences.Add(Math.Abs(_ring[row] - _ring[row - 1]), ref random);
                }
            }
        }

        _ring.Mark(firstRow, endRow, abnormal: false);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(LastValue);
        writer.Write(_moves);
        writer.Write(_encoder.Scale.Centre);
        writer.Write(_encoder.Scale.Scale);
        writer.Write(_encoder.DifferenceScale);
        _history.Save(writer);
        _differences.Save(writer);
        _seasons.Save(writer);
        _ring.Save(writer);
        _bins.Save(writer);
        _forecaster.Save(writer);
        _channels.Save(writer);
        _learner?.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        LastValue = reader.ReadDouble();
        _moves = reader.ReadInt64();
        _encoder.Scale = new ValueScale(reader.ReadDouble(), reader.ReadDouble());
        _encoder.DifferenceScale = reader.ReadDouble();
        _history.Load(reader);
        _differences.Load(reader);
        _seasons.Load(reader);
        _encoder.ShortSeason = _seasons.Short;
        _encoder.LongSeason = _seasons.Long;
        _ring.Load(reader);
        _bins.Load(reader);
        _forecaster.Load(reader);
        _channels.Load(reader);
        _learner?.Load(reader);
    }
}
