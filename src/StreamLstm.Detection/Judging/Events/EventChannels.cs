using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Events;

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

    /// <summary>All channels.</summary>
    public const int Count = EventChannels + 1;

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

    /// <summary>What explanations call them.</summary>
    public static readonly IndicatorWords Words = new(channel => Names[channel], Meaning);

    private readonly BlockMaximaTail[] _fast = NewTails(delayBlocks: 0);
    private readonly BlockMaximaTail[] _slow = NewTails(SlowDelayBlocks);
    private readonly double[] _values = new double[Count];
    private readonly double[] _fastScores = new double[Count];
    private readonly double[] _slowScores = new double[Count];
    private readonly double[] _plain = new double[Count];
    private double _run;
    private bool _hasOrdinary;

    /// <summary>The score that decides, in decades.</summary>
    public double Fast { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary>The score that is reported, in decades.</summary>
    public double Slow { get; private set; } = BlockMaximaTail.Unknown;

    /// <summary><see cref="Fast"/> as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain => _hasOrdinary ? ScoreCombination.Combine(_plain) : null;

    /// <summary>The indicators themselves: (channels).</summary>
    public ReadOnlySpan<double> Values => _values;

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
            _plain[channel] = _fast[channel].PlainScore(_values[channel]);
            _fastScores[channel] = _fast[channel].Score(_values[channel]);
            _slowScores[channel] = _slow[channel].Score(_values[channel]);
            _fast[channel].Add(_values[channel]);
            _slow[channel].Add(_values[channel]);
        }

        // The rate has a unit of its own, the bin, and is calibrated by it.
        _values[EventChannels] = rate.Value;
        _plain[EventChannels] = rate.Plain;
        _fastScores[EventChannels] = rate.Fast;
        _slowScores[EventChannels] = rate.Slow;
        Fast = ScoreCombination.Combine(_fastScores);
        Slow = ScoreCombination.Combine(_slowScores);
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels).</param>
    /// <param name="rate">The stream's rate, which has a level of its own.</param>
    public void Teach(ReadOnlySpan<double> levels, EventRate rate)
    {
        for (int channel = 0; channel < EventChannels; channel++)
        {
            _fast[channel].Ordinary = _slow[channel].Ordinary = levels[channel];
        }

        rate.Ordinary = levels[EventChannels];
        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps events from teaching what is usual afterwards, as far as they have not yet.</summary>
    /// <param name="firstEventsAgo">The first of them; 1 is the last event observed.</param>
    /// <param name="lastEventsAgo">The last of them.</param>
    public void Exclude(long firstEventsAgo, long lastEventsAgo)
    {
        foreach (BlockMaximaTail tail in _fast.Concat(_slow))
        {
            tail.Exclude(firstEventsAgo, lastEventsAgo);
        }
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

    private static string Meaning(int channel, int _) => (EventChannel)channel switch
    {
        EventChannel.Surprise => "the event was unlikely here",
        EventChannel.Order => "the event is no rarity, but not after what went before",
        EventChannel.Rank => "many kinds were held likelier",
        EventChannel.New => "a kind never seen before",
        EventChannel.Run => "the last events are unlikely together",
        EventChannel.Repeat => "this kind comes more often than it did",
        _ => "more or fewer events come in a time than did",
    };

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
