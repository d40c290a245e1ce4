using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>Buffers that one thread uses for whatever stream of events it is judging, one set for each size of network. Holds nothing between two events.</summary>
internal sealed class EventScratch
{
    private readonly Dictionary<int, EventNetworkScratch> _byPlaces = [];

    /// <summary>Probabilities of the next event: (places).</summary>
    public float[] Forecast { get; } = new float[EventNetwork.PlacesMax];

    /// <summary>The same, mixed with what counts say: (places).</summary>
    public float[] Mixture { get; } = new float[EventNetwork.PlacesMax];

    /// <summary>The buffers for a network of so many places, made when first asked for.</summary>
    public EventNetworkScratch Of(LstmShape shape)
    {
        if (!_byPlaces.TryGetValue(shape.OutputSize, out EventNetworkScratch? scratch))
        {
            _byPlaces.Add(shape.OutputSize, scratch = new EventNetworkScratch(shape));
        }

        return scratch;
    }
}

/// <summary>Buffers for networks of one shape.</summary>
internal sealed class EventNetworkScratch(LstmShape shape)
{
    public LstmScratch Step { get; } = new(shape);

    public BackpropagationThroughTime ThroughTime { get; } = new(shape, EventChunks.EventsMax, EventNetwork.BatchChunks);

    public LstmGradients Gradients { get; } = new(shape);

    /// <summary>One place, the others 0: (places).</summary>
    public float[] Input { get; } = new float[shape.InputSize];

    public float[] Logits { get; } = new float[shape.OutputSize];

    public float[] Inputs { get; } = new float[EventNetwork.BatchChunks * EventChunks.EventsMax * shape.InputSize];

    public float[] OutputGradients { get; } = new float[EventNetwork.BatchChunks * EventChunks.EventsMax * shape.OutputSize];

    public float[] States { get; } = new float[EventNetwork.BatchChunks * shape.StateSize];
}
