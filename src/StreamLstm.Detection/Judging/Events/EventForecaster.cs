namespace StreamLstm.Detection.Judging.Events;

/// <summary>The forecast of one stream's next event: network and counts, each believed as far as it has earned.</summary>
/// <remarks>
/// p = t network + (1 - t) counts; t follows Bayes' rule with a fixed share, as in <see cref="Scoring.Forecaster"/>, so
/// that the mixture is never much worse than the better of the two.
/// </remarks>
/// <param name="network">Null for counts alone: a stream without weights of its own.</param>
internal sealed class EventForecaster(EventNetwork? network)
{
    /// <summary>Share by which the trust in network and counts returns to even per event.</summary>
    private const double FixedShare = 0.001;

    /// <summary>Events between two trainings, at first and later.</summary>
    private const int TrainEvery = 16;
    private const int TrainEveryLater = 32;

    /// <summary>Events after which a stream is trained less often.</summary>
    private const int EagerEvents = 20_000;

    /// <summary>Events of a kind from which the network may say that it does not belong where it came.</summary>
    private const double EventsForFullEvidence = 64;

    /// <summary>Events of the stream after which what there is of a piece is learnt from.</summary>
    private const int ShareEvery = 512;

    private readonly EventChunks? _chunks = network is null ? null : new EventChunks();
    private double _trust = 0.5;
    private double _nextTrust = 0.5;

    /// <summary>How often each place came.</summary>
    public EventCounts Counts { get; } = new();

    /// <summary>Whether there is a network.</summary>
    public bool HasNetwork => network is not null;

    /// <summary>How far the network is believed, 0 to 1.</summary>
    public double Trust => network is null ? 0 : _trust;

    /// <summary>Places in use.</summary>
    public int Used { get; private set; } = EventNetwork.FirstKind;

    /// <summary>Forecasts a session's next event into the scratch, network and mixture.</summary>
    public void Forecast(LiveSession session, EventScratch scratch)
    {
        network?.Step(session.Last, session.State, scratch);
        double trust = Trust;

        for (int place = 0; place < Used; place++)
        {
            double counted = (1 - trust) * Counts.Probability(place, Used);
            scratch.Mixture[place] = (float)(network is null ? counted : trust * scratch.Forecast[place] + counted);
        }
    }

    /// <summary>Surprise and order of a place under the forecast last made.</summary>
    public (double Surprise, double Order) Judge(int place, double known, EventScratch scratch)
    {
        double counted = Counts.Probability(place, Used);

        if (network is null)
        {
            return (-Math.Log(known * counted), 0);
        }

        // Of a kind it has hardly seen the network does not know where it belongs.
        double evidence = Math.Min(1, Counts.Of(place) / EventsForFullEvidence);
        double forecast = scratch.Forecast[place];
        double surprise = -Math.Log(known * (evidence * scratch.Mixture[place] + (1 - evidence) * Math.Max(counted, scratch.Mixture[place])));
        double order = evidence * Math.Max(0, Math.Log(counted) - Math.Log(Math.Max(forecast, 1e-12)));
        double believed = _nextTrust * forecast;
        _nextTrust = (1 - FixedShare) * (believed / (believed + (1 - _nextTrust) * counted)) + FixedShare * 0.5;
        return (surprise, order);
    }

    /// <summary>Trusts network and counts as what was judged since says; or forgets that.</summary>
    public void Follow(bool teaches) => (_trust, _nextTrust) = teaches ? (_nextTrust, _nextTrust) : (_trust, _trust);

    /// <summary>How many places were held likelier.</summary>
    public int Rank(int place, EventScratch scratch)
    {
        int rank = 0;

        for (int other = 0; other < Used; other++)
        {
            rank += scratch.Mixture[other] > scratch.Mixture[place] ? 1 : 0;
        }

        return rank;
    }

    /// <summary>The place held most likely, <see cref="EventNetwork.Other"/> left out, and its probability.</summary>
    public (int Place, double Probability) Likeliest(EventScratch scratch)
    {
        int likeliest = EventNetwork.Boundary;

        for (int place = EventNetwork.FirstKind; place < Used; place++)
        {
            likeliest = scratch.Mixture[place] > scratch.Mixture[likeliest] ? place : likeliest;
        }

        return (likeliest, scratch.Mixture[likeliest]);
    }

    /// <summary>A session's next event was this place.</summary>
    /// <param name="session">The session.</param>
    /// <param name="place">The place.</param>
    /// <param name="lesson">What it may teach; where not everything, the network learns nothing of the piece of the session that it is in.</param>
    public void Take(LiveSession session, int place, Lesson lesson)
    {
        if (lesson <= Lesson.Suspicious)
        {
            Counts.AddPlace(place);
        }

        if (lesson != Lesson.Normal)
        {
            session.Spoil();
        }

        if (_chunks is not null)
        {
            session.Add(place, _chunks);
        }
    }

    /// <summary>A session has no more events: what it leaves is learnt from.</summary>
    public void Close(LiveSession session)
    {
        if (_chunks is not null)
        {
            session.HandOver(_chunks);
        }
    }

    /// <summary>Events of which there are few must be learnt from too, before they fill a piece.</summary>
    public void Share(LiveSession session, long events)
    {
        if (events % ShareEvery == 0)
        {
            Close(session);
        }
    }

    /// <summary>The next free place; null where all are taken.</summary>
    public int? Open()
    {
        if (Used == EventNetwork.PlacesMax)
        {
            return null;
        }

        network?.Open();
        return Used++;
    }

    /// <summary>Forgets what a place was, in all that is learnt from.</summary>
    public void Forget(int place, LiveSession alone, LiveSessions sessions)
    {
        Counts.Move(place, EventNetwork.Other);
        network?.Forget(place);
        _chunks?.Replace(place, EventNetwork.Other);
        alone.Replace(place, EventNetwork.Other);

        foreach (LiveSession session in sessions.All)
        {
            session.Replace(place, EventNetwork.Other);
        }
    }

    /// <summary>Learns, by count, so that a replay learns the same; false where a step was left out because it was not finite.</summary>
    public bool Learn(long events, EventScratch scratch, ref SeededRandom random)
    {
        if (network is null || events % (events < EagerEvents ? TrainEvery : TrainEveryLater) != 0 || _chunks!.Count < EventNetwork.BatchChunks)
        {
            return true;
        }

        Span<int> batch = stackalloc int[EventNetwork.BatchChunks];
        batch[0] = _chunks.Newest;

        for (int i = 1; i < batch.Length; i++)
        {
            batch[i] = random.Next(_chunks.Count);
        }

        return network.Train(_chunks, batch, scratch);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_trust);
        writer.Write(Used);
        Counts.Save(writer);
        network?.Save(writer);
        _chunks?.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _trust = _nextTrust = reader.ReadDouble();
        Used = reader.ReadInt32();

        if (Used is < EventNetwork.FirstKind or > EventNetwork.PlacesMax)
        {
            throw new InvalidDataException($"events: {Used} places, expected {EventNetwork.FirstKind} to {EventNetwork.PlacesMax}");
        }

        Counts.Load(reader);
        network?.Load(reader);
        _chunks?.Load(reader);
    }
}
