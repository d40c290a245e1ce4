using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>Buffers that one thread uses for whatever stream of events it is judging. Holds nothing between two events.</summary>
internal sealed class EventScratch
{
    private readonly PlaceScratches _networks = new(EventChunks.EventsMax, EventNetwork.BatchChunks);

    /// <summary>Probabilities of the next event: (places).</summary>
    public float[] Forecast { get; } = new float[EventNetwork.PlacesMax];

    /// <summary>The same, mixed with what counts say: (places).</summary>
    public float[] Mixture { get; } = new float[EventNetwork.PlacesMax];

    /// <summary>The buffers for networks of a shape.</summary>
    public PlaceScratch Of(LstmShape shape) => _networks.Of(shape);
}
