using StreamLstm.Detection.Deciding;

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

/// <summary>What is usual of each indicator in clean events of the stream, and so how rare what they say is.</summary>
internal sealed class EventChannelBank
{
    /// <summary>Channels that speak of one event, all but the rate.</summary>
    public const int EventChannels = (int)EventChannel.Rate;

    /// <summary>All channels.</summary>
    public const int Count = EventChannels + 1;

    /// <summary>Blocks that a tail is of: 8,192 events.</summary>
    private const int BlocksMax = 256;

    /// <summary>What stays of <see cref="EventChannel.Run"/> from event to event: about ten events.</summary>
    private const double RunStays = 0.9;

    /// <summary>
    /// Nats by which something is rarer that means anything. Where a forecast is right an e-fold rarer is a nat more; the order
    /// is how much likelier counts held the event than the network did, and that is hardly ever much where the network is right.
    /// </summary>
    private const double Least = 1;
    private const double LeastOrder = 0.25;

    public static readonly IReadOnlyList<string> Names =
        [.. Enum.GetNames<EventChannel>().Select(name => name.ToLowerInvariant())];

    /// <summary>What explanations call them.</summary>
    public static readonly IndicatorWords Words = new(channel => Names[channel], Meaning);

    private readonly ChannelTails _tails = new(EventChannels, BlocksMax, channel => channel == (int)EventChannel.Order ? LeastOrder : Least);
    private double _run;

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

        _tails.Score(values, scores, plain);

        // How often something new comes, and ranks as deep, has been counted: it is as rare as that.
        foreach (int counted in (ReadOnlySpan<int>)[(int)EventChannel.New, (int)EventChannel.Rank])
        {
            double most = Math.Max(0, values[counted] / Math.Log(10) - ChannelTails.BlockDecades);
            (scores[counted], plain[counted]) = (Math.Min(scores[counted], most), Math.Min(plain[counted], most));
        }

        // The rate has a unit of its own, the bin, and is calibrated by it.
        (values[EventChannels], scores[EventChannels], plain[EventChannels]) = (rate.Value, rate.Score, rate.Plain);
        _tails.Conclude(scores[..Count], plain, judgement);
    }

    /// <summary>Takes the event just judged, once it has been decided whether it counts.</summary>
    public void Remember(ReadOnlySpan<double> values, bool counts) => _tails.Remember(values, counts);

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels).</param>
    /// <param name="rate">The stream's rate, which has a level of its own.</param>
    public void Ordinary(ReadOnlySpan<double> levels, EventRate rate)
    {
        _tails.Ordinary(levels);
        rate.Ordinary = levels[EventChannels];
    }

    /// <summary>Keeps the last events from teaching, as far as they have not yet; 1 is the last that was remembered.</summary>
    public void Spare(long eventsAgo) => _tails.Spare(eventsAgo);

    public void Save(BinaryWriter writer)
    {
        _tails.Save(writer);
        writer.Write(_run);
    }

    public void Load(BinaryReader reader)
    {
        _tails.Load(reader);
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
