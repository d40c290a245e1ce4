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

/// <summary>The channels of one stream of events: each event's indicators, calibrated as channels does with those of values.</summary>
internal sealed class EventChannelBank
{
    /// <summary>Channels that speak of one event, all but the rate.</summary>
    public const int EventChannels = (int)EventChannel.Rate;

    /// <summary>All channels.</summary>
    public const int Count = EventChannels + 1;

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

    private readonly BlockMaximaTail[] _tails =
    [
        .. Enumerable.Range(0, EventChannels).Select(channel => (EventChannel)channel switch
        {
            EventChannel.Order => new BlockMaximaTail(delayBlocks: 0, OrderPrior),
            EventChannel.Run => new BlockMaximaTail(delayBlocks: 0, prior: 1, priorPerLevel: RunPriorPerLevel),
            _ => new BlockMaximaTail(delayBlocks: 0, prior: 1),
        }),
    ];

    private double _run;
    private bool _hasOrdinary;

    /// <summary>Judges one event.</summary>
    public void Judge(in EventIndicators indicators, EventRate rate, Judgement judgement)
    {
        _run = RunStays * _run + indicators.EventSurprise;
        Span<double> values = judgement.AllValues, scores = judgement.AllScores;
        Span<double> plain = stackalloc double[Count];
        values[(int)EventChannel.Surprise] = indicators.Surprise;
        values[(int)EventChannel.Order] = indicators.Order;
        values[(int)EventChannel.Rank] = indicators.Rank;
        values[(int)EventChannel.New] = indicators.New;
        values[(int)EventChannel.Run] = _run;
        values[(int)EventChannel.Repeat] = indicators.Repeat;

        for (int channel = 0; channel < EventChannels; channel++)
        {
            plain[channel] = _tails[channel].PlainScore(values[channel]);
            scores[channel] = _tails[channel].Score(values[channel]);
        }

        // The rate has a unit of its own, the bin, and is calibrated by it.
        values[EventChannels] = rate.Value;
        plain[EventChannels] = rate.Plain;
        scores[EventChannels] = rate.Score;
        judgement.Count = Count;
        judgement.Evidence = ScoreCombination.Combine(scores);
        judgement.Plain = _hasOrdinary ? ScoreCombination.Combine(plain) : null;
    }

    /// <summary>Learns of the event just judged what it may teach.</summary>
    /// <param name="values">(channels): its indicators.</param>
    /// <param name="lesson">What it may teach.</param>
    public void Remember(ReadOnlySpan<double> values, Lesson lesson)
    {
        for (int channel = 0; channel < EventChannels; channel++)
        {
            _tails[channel].Learn(values[channel], lesson);
        }
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels).</param>
    /// <param name="rate">The stream's rate, which has a level of its own.</param>
    public void Ordinary(ReadOnlySpan<double> levels, EventRate rate)
    {
        for (int channel = 0; channel < EventChannels; channel++)
        {
            _tails[channel].Ordinary = levels[channel];
        }

        rate.Ordinary = levels[EventChannels];
        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps events from teaching what is usual afterwards, as far as they have not yet.</summary>
    /// <param name="firstEventsAgo">The first of them; 1 is the last event observed.</param>
    /// <param name="lastEventsAgo">The last of them.</param>
    public void Exclude(long firstEventsAgo, long lastEventsAgo)
    {
        foreach (BlockMaximaTail tail in _tails)
        {
            tail.Exclude(firstEventsAgo, lastEventsAgo);
        }
    }

    public void Save(BinaryWriter writer)
    {
        Array.ForEach(_tails, tail => tail.Save(writer));
        writer.Write(_run);
    }

    public void Load(BinaryReader reader)
    {
        Array.ForEach(_tails, tail => tail.Load(reader));
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
