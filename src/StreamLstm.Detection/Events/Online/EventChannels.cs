using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Events.Online;

/// <summary>The indicators of a stream of events. All are in nats, or grow like them.</summary>
internal enum EventChannel
{
    /// <summary>The event was unlikely: -ln p, of network and counts together.</summary>
    Surprise,

    /// <summary>The event is likelier by its count than the network thinks after what went before: the order is wrong, or something is missing.</summary>
    Order,

    /// <summary>So many kinds were held likelier (DeepLog's top g, Du et al. 2017), against how deep ranks usually are.</summary>
    Rank,

    /// <summary>The event is of a kind never seen, against how often new kinds come.</summary>
    New,

    /// <summary>The last events were unlikely together.</summary>
    Run,

    /// <summary>This kind comes more often than it did.</summary>
    Repeat,

    /// <summary>More or fewer events come in a time than did.</summary>
    Rate,
}

/// <summary>The channels of one stream of events: each event's indicators, calibrated twice, as <see cref="ChannelBank"/> does with those of values.</summary>
internal sealed class EventChannelBank
{
    /// <summary>Channels that speak of one event, all but the rate.</summary>
    public const int EventChannels = (int)EventChannel.Rate;

    private const int SlowDelayBlocks = 16;

    /// <summary>What stays of <see cref="EventChannel.Run"/> from event to event: about ten events.</summary>
    private const double RunStays = 0.9;

    /// <summary>
    /// Mean excess expected of the order. That of a surprise is a nat where the forecast is right; the order is how much
    /// likelier counts held the event than the network did, and that is hardly ever much where the network is right.
    /// </summary>
    private const double OrderPrior = 0.25;

    /// <summary>Share of its usual peaks that is the mean excess expected of the run, a sum whose unit depends on how regular the stream is.</summary>
    private const double RunPriorPerLevel = 0.1;

    public static readonly IReadOnlyList<string> Names =
        [.. Enum.GetNames<EventChannel>().Select(name => name.ToLowerInvariant())];

    private readonly BlockMaximaTail[] _fast = NewTails(delayBlocks: 0);
    private readonly BlockMaximaTail[] _slow = NewTails(SlowDelayBlocks);
    private readonly double[] _values = new double[EventChannels];
    private readonly double[] _fastScores = new double[EventChannels + 1];
    private readonly double[] _slowScores = new double[EventChannels + 1];
    private double _run;

    /// <summary>The score that decides, in decades.</summary>
    public double Fast { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The score that is reported, in decades.</summary>
    public double Slow { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>Scores of the channels behind <see cref="Fast"/>: (channels).</summary>
    public ReadOnlySpan<double> FastScores => _fastScores;

    /// <summary>The channel that says most to what decides.</summary>
    public EventChannel Strongest => (EventChannel)_fastScores.AsSpan().IndexOf(_fastScores.Max());

    /// <summary>The channel that says most to what is reported.</summary>
    public EventChannel StrongestReported => (EventChannel)_slowScores.AsSpan().IndexOf(_slowScores.Max());

    /// <summary>Judges one event, then learns from it.</summary>
    public void Observe(in EventIndicators indicators, EventRate rate)
    {
        _run = RunStays * _run + indicators.EventSurprise;
        _values[(int)EventChannel.Surprise] = indicators.Surprise;
        _values[(int)EventChannel.Order] = indicators.Order;
        _values[(int)EventChannel.Rank] = indicators.Rank;
        _values[(int)EventChannel.New] = indicators.New;
        _values[(int)EventChannel.Run] = _run;
        _values[(int)EventChannel.Repeat] = indicators.Repeat;

        for (int channel = 0; channel < EventChannels; channel++)
        {
            _fastScores[channel] = _fast[channel].Score(_values[channel]);
            _slowScores[channel] = _slow[channel].Score(_values[channel]);
            _fast[channel].Add(_values[channel]);
            _slow[channel].Add(_values[channel]);
        }

        // The rate has a unit of its own, the bin, and is calibrated by it.
        _fastScores[EventChannels] = rate.Fast;
        _slowScores[EventChannels] = rate.Slow;
        Fast = ScoreCombination.Combine(_fastScores);
        Slow = ScoreCombination.Combine(_slowScores);
    }

    public void Save(BinaryWriter writer)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Save(writer);
        }

        writer.Write(_run);
    }

    public void Load(BinaryReader reader)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Load(reader);
        }

        _run = reader.ReadDouble();
    }

    private static BlockMaximaTail[] NewTails(int delayBlocks) =>
        [.. Enumerable.Range(0, EventChannels).Select(channel => (EventChannel)channel switch
        {
            EventChannel.Order => new BlockMaximaTail(delayBlocks, OrderPrior),
            EventChannel.Run => new BlockMaximaTail(delayBlocks, prior: 1, priorPerLevel: RunPriorPerLevel),
            _ => new BlockMaximaTail(delayBlocks, prior: 1),
        })];
}

/// <summary>What one event says by itself, in nats.</summary>
internal record struct EventIndicators
{
    /// <summary>-ln p of the event.</summary>
    public double EventSurprise { get; set; }

    /// <summary>The same, or that of a session's end that came with it.</summary>
    public double Surprise { get; set; }

    public double Order { get; set; }

    public double Rank { get; set; }

    public double New { get; set; }

    public double Repeat { get; set; }
}
