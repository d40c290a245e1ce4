using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>What a stream's LSTM forecasts of its values, and what it knows of them: the last ones, a sample of all, scale, seasons.</summary>
/// <remarks>For every value, in this order: <see cref="Judge"/>, <see cref="Remember"/>, <see cref="Learn"/>, <see cref="Step"/>.</remarks>
internal sealed class ValueForecast
{
    /// <summary>Rows between two refreshes of bins and scale.</summary>
    public const int RefreshEvery = 16;

    /// <summary>Rows between a refresh and a look for seasons: no row does both.</summary>
    private const int SeasonOffset = RefreshEvery / 2;

    /// <summary>Rows before there are bins.</summary>
    private const int FirstBins = 32;

    /// <summary>Rows after which a value counts as one of the stream's: a margin before an incident can still be left out.</summary>
    private const int QuarantineRows = 32;

    /// <summary>A sample of all values stands for about so many of the last ones.</summary>
    private const int HistoryHorizon = 8192;

    /// <summary>Moves of a stream behind which the tail of its forecasts is taken to be known.</summary>
    private const int MovesKnown = 64;

    /// <summary>
    /// One in so many rows holds weights of the stream's own against others that come into service: a few milliseconds, which all
    /// streams would else pay at once.
    /// </summary>
    private const int NoticeEvery = 32;

    private readonly int _learningRows, _noticeAt;
    private readonly FloatReservoir _differences = new(capacity: 256, horizon: 2000);
    private readonly Seasons _seasons = new();
    private readonly QuantileBins _bins = new();
    private readonly ForecastInput _encoder;
    private readonly Forecaster _forecaster = new();
    private StreamLearner? _learner;

    /// <param name="learningRows">Rows before a value is judged.</param>
    /// <param name="sizes">What may be remembered.</param>
    /// <param name="model">The base weights to start from.</param>
    /// <param name="ownWeights">Whether they are adapted to the stream.</param>
    /// <param name="chance">The stream's own: when it takes notice of a swap.</param>
    public ValueForecast(int learningRows, MemorySizes sizes, BaseModel model, bool ownWeights, SeededRandom chance)
    {
        (_learningRows, _noticeAt) = (learningRows, chance.Next(NoticeEvery));
        History = new SortedReservoir(sizes.HistoryValues, HistoryHorizon);
        Ring = new ValueRing(sizes.RingRows);
        _encoder = new ForecastInput(Ring, History, _bins) { Scale = new ValueScale(0, 1) };
        _learner = ownWeights ? new StreamLearner(model.Weights, sizes.RingRows) : null;
    }

    /// <summary>The last values.</summary>
    public ValueRing Ring { get; }

    /// <summary>A sample of the stream's values in normal operation.</summary>
    public SortedReservoir History { get; }

    /// <summary>The stream's scale.</summary>
    public ValueScale Scale => _encoder.Scale;

    /// <summary>Rows after which the stream's shape comes again; 0 for none.</summary>
    public long Period => _seasons.Period;

    /// <summary>How often another period was found.</summary>
    public int Periods { get; private set; }

    /// <summary>Whether the stream has weights of its own.</summary>
    public bool HasOwnWeights => _learner is not null;

    /// <summary>Whether the forecasts of all horizons for the present row were made without a break.</summary>
    public bool IsWarm => _forecaster.IsWarm;

    /// <summary>The tails of the present value under the forecasts: (horizons).</summary>
    public ReadOnlySpan<Tail> Tails => _forecaster.Tails;

    /// <summary>Median and 98 % band that were forecast for the present value; null where there was no forecast.</summary>
    public (double Median, double Lower, double Upper)? Expected { get; private set; }

    /// <summary>The gates of its LSTM over the last rows; null where it has no weights of its own, or too few rows.</summary>
    public GateTrace? Gates() => _learner?.Gates(Ring, _encoder);

    /// <summary>The incident at a time, or the last one, with the rows before it; null where it cannot be reconstructed, with the reason.</summary>
    public Excerpt? Excerpt(DateTimeOffset? at, bool isRate, out string? missing) =>
        Reconstructing.Excerpt.Of(Ring, Scale, _seasons.Short, _seasons.Long, at, isRate, out missing);

    /// <summary>What was forecast for the rows to come was forecast for another time: it is forgotten.</summary>
    public void Reset() => _forecaster.Reset();

    /// <summary>After a swap: weights of its own give way where the new base is better on the stream's last windows.</summary>
    /// <returns>False where that is left for a later row: weights of its own are as good as they were meanwhile.</returns>
    public bool TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
        if (_learner is not null)
        {
            if (_learner.HasLearnt && Ring.Count % NoticeEvery != _noticeAt)
            {
                return false;
            }

            // What has not learnt yet has nothing of its own: the trained base is the better start.
            if (_learner.HasLearnt && StreamLearner.IsBetter(_learner.Weights, model.Weights, Ring, _encoder, scratch))
            {
                return true;
            }

            _learner.Adopt(model.Weights);
        }

        // h and c mean nothing under other weights.
        if (Ring.Count > FirstBins)
        {
            _forecaster.ReWarm(model.Weights, Ring, _encoder, scratch);
        }

        return true;
    }

    /// <summary>Holds a value against the forecasts made for it.</summary>
    public void Judge(double value, DetectionScratch scratch)
    {
        Expected = null;

        if (Ring.Count >= _learningRows)
        {
            Expected = _forecaster.Expect(Ring.Count, _bins, History, scratch);
            _forecaster.Judge(Ring.Count, value, _bins, History, Scale, MovesKnown, scratch);
        }
    }

    /// <summary>Takes the judged value: into the ring at once, into the sample after a quarantine, unless it may not teach.</summary>
    public void Remember(double value, double seconds, double gapRatio, bool teaches, ref SeededRandom random)
    {
        long row = Ring.Count, released = row - QuarantineRows;

        if (teaches)
        {
            _forecaster.Trust();

            if (row > 0)
            {
                _differences.Add(Math.Abs(value - Ring[row - 1]), ref random);
            }
        }

        Ring.Append(value, seconds, gapRatio);
        Ring.Mark(row, row + 1, abnormal: !teaches);

        // A stream that has just begun has no time for a quarantine.
        if (row < _learningRows)
        {
            History.Add(value, ref random);
        }
        else if (released >= _learningRows && !Ring.IsAbnormal(released))
        {
            History.Add(Ring[released], ref random);
        }
    }

    /// <summary>Refreshes, by count, what is known of the stream as a whole; false when a training step was undone because it was not finite.</summary>
    public bool Learn(double usualSeconds, bool teaches, DetectionScratch scratch, ref SeededRandom random)
    {
        long rows = Ring.Count;

        if (Seasons.IsDue(rows - SeasonOffset, Ring.RowsMax))
        {
            Periods += _seasons.Find(Ring, Scale, usualSeconds, scratch) ? 1 : 0;
            _encoder.ShortSeason = _seasons.Short;
            _encoder.LongSeason = _seasons.Long;
        }

        if (rows < FirstBins || rows % RefreshEvery != 0)
        {
            return true;
        }

        _bins.Refresh(History);
        _encoder.Scale = ValueScale.Of(History);
        double usualDifference = _differences.Quantile(0.8);
        _encoder.DifferenceScale = usualDifference > 0 ? usualDifference : 0.1 * Scale.Scale;
        return _learner is null || !teaches || rows < _learningRows || !StreamLearner.IsDue(rows)
            || _learner.Train(Ring, _encoder, scratch, ref random);
    }

    /// <summary>The last rows for the retrainer, named after the stream, where a window of them has just become whole and nothing in it is abnormal.</summary>
    public TrainingWindow? CleanWindow(string stream, DetectionScratch scratch)
    {
        long end = Ring.Count, first = end - TrainingWindow.Rows;

        if (end % TrainingWindow.Rows != 0 || end < 2 * TrainingWindow.Rows)
        {
            return null;
        }

        for (long row = first; row < end; row++)
        {
            if (Ring.IsAbnormal(row))
            {
                return null;
            }
        }

        return StreamLearner.Cut(stream, first, Ring, _encoder, scratch.Tokens);
    }

    /// <summary>Steps the network over the value just remembered: h, c and the forecasts of the rows to come; false when the state had to be forgotten.</summary>
    public bool Step(BaseModel model, DetectionScratch scratch)
    {
        long row = Ring.Count - 1;

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

    /// <summary>What these rows showed is normal from now on.</summary>
    public void Accept(long firstRow, long endRow, ref SeededRandom random)
    {
        for (long row = Math.Max(firstRow, Ring.First); row < Math.Min(endRow, Ring.Count); row++)
        {
            if (Ring.IsAbnormal(row))
            {
                History.Add(Ring[row], ref random);

                if (row > Math.Max(firstRow, Ring.First))
                {
                    _differences.Add(Math.Abs(Ring[row] - Ring[row - 1]), ref random);
                }
            }
        }

        Ring.Mark(firstRow, endRow, abnormal: false);
    }

    /// <summary>Remembers so much from now on. Weights of its own begin anew from the base: the windows they were learnt from are others now.</summary>
    /// <param name="sizes">What may be remembered.</param>
    /// <param name="ownWeights">Whether the base weights are adapted to the stream.</param>
    /// <param name="model">The base weights in service.</param>
    /// <param name="scratch">Room to work in.</param>
    public void Resize(MemorySizes sizes, bool ownWeights, BaseModel model, DetectionScratch scratch)
    {
        Ring.Resize(sizes.RingRows);
        History.Resize(sizes.HistoryValues);
        bool hadOthers = _learner is { HasLearnt: true };
        _learner = ownWeights ? new StreamLearner(model.Weights, sizes.RingRows) : null;

        // h and c mean nothing under other weights.
        if (hadOthers)
        {
            _forecaster.ReWarm(model.Weights, Ring, _encoder, scratch);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Scale.Centre);
        writer.Write(Scale.Scale);
        writer.Write(_encoder.DifferenceScale);
        writer.Write(Periods);
        History.Save(writer);
        _differences.Save(writer);
        _seasons.Save(writer);
        Ring.Save(writer);
        _bins.Save(writer);
        _forecaster.Save(writer);
        _learner?.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _encoder.Scale = new ValueScale(reader.ReadDouble(), reader.ReadDouble());
        _encoder.DifferenceScale = reader.ReadDouble();
        Periods = reader.ReadInt32();
        History.Load(reader);
        _differences.Load(reader);
        _seasons.Load(reader);
        _encoder.ShortSeason = _seasons.Short;
        _encoder.LongSeason = _seasons.Long;
        Ring.Load(reader);
        _bins.Load(reader);
        _forecaster.Load(reader);
        _learner?.Load(reader);
    }
}
